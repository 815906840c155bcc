//! A graph as it is read: its inputs and outputs, and the nodes that lead to those that are wanted.

use std::collections::{HashMap, HashSet};

use super::proto::{self, Node, ValueInfo};
use super::tensor::{Element, Tensor};
use crate::ReadError;

/// An input or an output, as the graph declares it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// Its name.
    pub(super) name: String,
    /// The type of its elements; none where it is no tensor.
    pub(super) element: Option<Element>,
    /// The lengths of its dimensions, none where one is open; no list where the graph does not say it.
    pub(super) lengths: Option<Vec<Option<usize>>>,
}

/// A graph.
#[derive(Debug)]
pub(super) struct Graph {
    /// The inputs that have no constant of their name.
    pub(super) inputs: Vec<Declared>,
    /// The outputs.
    pub(super) outputs: Vec<Declared>,
    /// The nodes, in order.
    pub(super) nodes: Vec<Node>,
    /// The constants.
    pub(super) constants: Vec<proto::Tensor>,
    /// The version of the operators without a domain.
    pub(super) opset: i64,
    /// What wrote the file.
    pub(super) producer: Option<String>,
}

impl Graph {
    /// The graph of a file.
    pub(super) fn of(model: proto::Model) -> Result<Self, ReadError> {
        let refused = |what: &str| ReadError::Unsupported {
            place: "the graph".to_owned(),
            what: what.to_owned(),
            hint: None,
        };
        let graph = model.graph.ok_or_else(|| ReadError::Malformed {
            place: "the file".to_owned(),
            found: "no graph".to_owned(),
            expected: "one".to_owned(),
        })?;
        if let Some(function) = model.functions.first() {
            return Err(refused(&format!(
                "the function `{}`, which the file brings along,",
                function.name
            )));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(refused("a sparse constant"));
        }
        let held: HashSet<&str> =
            graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let free = graph.input.iter().filter(|input| !held.contains(input.name.as_str()));
        let inputs = free.map(Declared::of).collect::<Result<_, _>>()?;
        let outputs = graph.output.iter().map(Declared::of).collect::<Result<_, _>>()?;
        let of_onnx = |opset: &&proto::Opset| matches!(&opset.domain[..], "" | "ai.onnx");
        let opset = model.opset_import.iter().filter(of_onnx).map(|opset| opset.version).max();
        let producer = [model.producer_name, model.producer_version].join(" ");
        Ok(Self {
            inputs,
            outputs,
            nodes: graph.node,
            constants: graph.initializer,
            opset: opset.unwrap_or(1),
            producer: Some(producer.trim().to_owned()).filter(|producer| !producer.is_empty()),
        })
    }

    /// Leaves out the nodes that none of these outputs needs.
    pub(super) fn prune(&mut self, outputs: &[&str]) {
        let mut needed: HashSet<String> = outputs.iter().map(ToString::to_string).collect();
        let mut kept = Vec::new();
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if node.output.iter().any(|output| needed.contains(output)) {
                needed.extend(node.input.iter().cloned());
                for attribute in &node.attribute {
                    attribute.g.iter().for_each(|graph| outer(graph, &mut needed));
                }
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
    }

    /// How often each name is read, by nodes or as one of these outputs.
    pub(super) fn uses(&self, outputs: &[&str]) -> HashMap<String, usize> {
        let mut uses = HashMap::new();
        let read = self.nodes.iter().flat_map(|node| node.input.iter().map(String::as_str));
        for name in read.chain(outputs.iter().copied()) {
            *uses.entry(name.to_owned()).or_insert(0) += 1;
        }
        uses
    }

    /// Each constant by its name.
    pub(super) fn constants(&self) -> impl Iterator<Item = Result<(&str, Tensor), ReadError>> {
        self.constants.iter().map(|tensor| {
            Ok((
                tensor.name.as_str(),
                Tensor::read(tensor, &format!("constant `{}`", tensor.name))?,
            ))
        })
    }
}

/// What a graph within a node may read of the one around it.
fn outer(graph: &proto::Graph, needed: &mut HashSet<String>) {
    for node in &graph.node {
        needed.extend(node.input.iter().cloned());
        for attribute in &node.attribute {
            attribute.g.iter().for_each(|graph| outer(graph, needed));
        }
    }
    needed.extend(graph.output.iter().map(|output| output.name.clone()));
}

impl Declared {
    fn of(info: &ValueInfo) -> Result<Self, ReadError> {
        let tensor = info.r#type.as_ref().and_then(|it| it.tensor_type.as_ref());
        let place = format!("tensor `{}`", info.name);
        let element = match tensor.map(|tensor| tensor.elem_type) {
            None | Some(0) => None,
            Some(element) => Some(Element::of(element, &place)?),
        };
        let lengths = tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| {
            shape
                .dim
                .iter()
                .map(|it| {
                    it.dim_value
                        .and_then(|length| usize::try_from(length).ok())
                        .filter(|length| *length > 0)
                })
                .collect()
        });
        Ok(Self { name: info.name.clone(), element, lengths })
    }
}
