//! Which outputs of a graph are wanted, and what they are called.

use super::graph::{Declared, Graph};
use super::tensor::Element;
use crate::{ReadOptions, Task};

/// The outputs that are wanted.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The tensors, by the names of the graph, and in the order of predictions.
    outputs: Vec<String>,
    /// Whether they are probabilities and, behind them, a label.
    pub(super) classes: bool,
    /// What the first is called, where that is another name than the graph's.
    pub(super) renamed: Option<&'a str>,
    /// Whether the names of the graph stay.
    pub(super) named: bool,
}

/// A classifier of two outputs, a label and scores, gives the scores first. With an output of the graph named there is only that one.
pub(super) fn wanted<'a>(graph: &Graph, options: &'a ReadOptions) -> Wanted<'a> {
    let chosen = options.output.as_deref();
    if let Some(output) = graph.outputs.iter().find(|output| Some(output.name.as_str()) == chosen) {
        return Wanted {
            outputs: vec![tensor_of(graph, output)],
            classes: false,
            renamed: None,
            named: true,
        };
    }
    let is_label = |output: &Declared| {
        matches!(output.element, Some(Element::I64 | Element::Text))
            && output.lengths.as_ref().is_none_or(|it| it.len() == 1)
    };
    if let [label, scores] = &graph.outputs[..]
        && is_label(label)
        && matches!(scores.element, None | Some(Element::F32 | Element::F64))
    {
        let outputs = vec![tensor_of(graph, scores), label.name.clone()];
        return Wanted { outputs, classes: true, renamed: chosen, named: false };
    }
    let outputs = graph.outputs.iter().map(|output| tensor_of(graph, output)).collect();
    Wanted { outputs, classes: false, renamed: chosen, named: false }
}

/// The tensor behind an output that is a list of maps.
fn tensor_of(graph: &Graph, output: &Declared) -> String {
    let maps = graph
        .nodes
        .iter()
        .find(|node| node.op_type == "ZipMap" && node.output.first() == Some(&output.name));
    maps.and_then(|node| node.input.first()).unwrap_or(&output.name).clone()
}

impl Wanted<'_> {
    /// The names of the graph.
    pub(super) fn names(&self) -> Vec<&str> {
        self.outputs.iter().map(String::as_str).collect()
    }

    /// What the model is for, and what its outputs are called, by how many values a request gets of each.
    pub(super) fn called(&self, widths: &[usize]) -> (Task, Vec<String>) {
        let task = match (self.classes, widths) {
            (true, [1 | 2, _]) => Task::Binary,
            (true, _) => Task::Multiclass,
            (false, [1]) => Task::Regression,
            (false, _) => Task::Transform,
        };
        let mut names = self.outputs.clone();
        if self.classes {
            names[1] = "label".to_owned();
        }
        if !self.named && task != Task::Transform {
            names[0] = task.output().to_owned();
        }
        if let Some(renamed) = self.renamed {
            names[0] = renamed.to_owned();
        }
        (task, names)
    }
}
