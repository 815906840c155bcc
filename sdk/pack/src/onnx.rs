//! Models of ONNX.
//!
//! There are two ways to run one. What our own runner has operators for becomes steps: trees, linear models and what comes before
//! them, and small nets. Other nets are handed to tract as they are, in a runner of their own that is larger by far. Operators of
//! `ai.onnx.ml` never go to tract, which has few of them.

mod graph;
mod lower;
mod net;
mod node;
mod operators;
mod outputs;
mod own;
mod proto;
mod tensor;

use graph::Graph;
use prost::Message as _;

use crate::{ReadError, ReadOptions, Trained};

/// Reads a model of ONNX.
///
/// # Errors
///
/// Those of [`crate::read`].
pub(crate) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Trained, ReadError> {
    let model = proto::Model::decode(bytes).map_err(|error| ReadError::Malformed {
        place: "the file".to_owned(),
        found: format!("no message of ONNX ({error})"),
        expected: "a ModelProto".to_owned(),
    })?;
    let mut graph = Graph::of(model)?;
    refuse(options)?;
    let wanted = outputs::wanted(&graph, options);
    graph.prune(&wanted.names());
    let own = own::read(&graph, &wanted, options);
    match own {
        Err(ReadError::Unsupported { place, what, hint })
            if !graph.nodes.iter().any(proto::Node::is_ml) =>
        {
            let because = ReadError::Unsupported { place, what, hint };
            net::read(bytes, &graph, &wanted, options, because)
        }
        own => own,
    }
}

/// What may be asked of other formats, but means nothing here.
fn refuse(options: &ReadOptions) -> Result<(), ReadError> {
    let refused = |option: &str, found: String, expected: &str| {
        Err(ReadError::Option { option: option.to_owned(), found, expected: expected.to_owned() })
    };
    if options.raw {
        return refused(
            "raw",
            "it with a model of ONNX".to_owned(),
            "no such thing: name an output of the graph with --output",
        );
    }
    if let Some(missing) = options.missing {
        return refused(
            "missing",
            missing.to_string(),
            "no such thing: the graph says what stands for a missing value",
        );
    }
    if let Some(name) = options.categorical.first() {
        return refused(
            "categorical",
            format!("`{name}`"),
            "no such thing: the graph says which inputs are texts",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::proto::{self, Dimension, Node, TensorShape, TensorType, Type, ValueInfo};
    use crate::{ReadOptions, Trained};

    fn tensor(name: &str, lengths: &[Option<i64>]) -> ValueInfo {
        let dim = lengths.iter().map(|it| Dimension { dim_value: *it, dim_param: None }).collect();
        let tensor_type = TensorType { elem_type: 1, shape: Some(TensorShape { dim }) };
        ValueInfo { name: name.into(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
    }

    fn node(domain: &str, operator: &str) -> Node {
        Node {
            input: vec!["x".into()],
            output: vec!["y".into()],
            name: "last".into(),
            op_type: operator.into(),
            domain: domain.into(),
            ..Node::default()
        }
    }

    fn read(
        nodes: Vec<Node>,
        input: &[Option<i64>],
        options: &ReadOptions,
    ) -> Result<Trained, String> {
        let graph = proto::Graph {
            node: nodes,
            input: vec![tensor("x", input)],
            output: vec![tensor("y", &[None, Some(3)])],
            ..proto::Graph::default()
        };
        let opset_import = vec![proto::Opset { domain: String::new(), version: 17 }];
        let model = proto::Model { graph: Some(graph), opset_import, ..proto::Model::default() };
        super::read(&model.encode_to_vec(), options).map_err(|error| error.to_string())
    }

    fn refused(node: Node, input: &[Option<i64>]) -> String {
        read(vec![node], input, &ReadOptions::default()).unwrap_err()
    }

    #[test]
    fn an_operator_that_nobody_has_is_refused_by_its_name() {
        let matrix = [None, Some(3)];
        assert_eq!(
            refused(node("ai.onnx.ml", "DictVectorizer"), &matrix),
            "node `last` (ai.onnx.ml.DictVectorizer): operator ai.onnx.ml.DictVectorizer is not supported"
        );
        assert_eq!(
            refused(node("com.example", "Conv"), &matrix),
            "node `last` (com.example.Conv): operator com.example.Conv is not supported"
        );
        assert_eq!(
            refused(node("", "RandomNormalLike"), &matrix),
            "node `last` (RandomNormalLike): operator RandomNormalLike is not supported"
        );
        let mut nameless = node("", "Loop");
        nameless.name = String::new();
        assert!(
            refused(nameless, &matrix).starts_with("node that gives `y` (Loop): operator Loop")
        );
    }

    #[test]
    fn links_that_onnx_and_onnxruntime_read_otherwise_are_refused() {
        let mut trees = node("ai.onnx.ml", "TreeEnsemble");
        let number =
            |name: &str, i| proto::Attribute { name: name.into(), i, ..Default::default() };
        trees.attribute = vec![number("n_targets", 3), number("post_transform", 1)];
        let why = refused(trees, &[None, Some(3)]);
        assert!(
            why.ends_with("the post_transform 1, which is SOFTMAX to ONNX and LOGISTIC to onnxruntime, is not supported"),
            "{why}"
        );
    }

    #[test]
    fn what_our_own_runner_has_becomes_steps_and_a_net_of_other_operators_stays_one() {
        let options = ReadOptions::default();
        let own = read(vec![node("", "Tanh")], &[None, Some(3)], &options).unwrap();
        assert_eq!((own.pipeline.steps.len(), own.pipeline.net()), (1, None));
        let image = [None, Some(1), Some(4), Some(4)];
        let net = read(vec![node("", "GlobalAveragePool")], &image, &options).unwrap();
        let net = net.pipeline.net().expect("our own runner has no pools");
        assert_eq!(
            (&net.inputs[0].leading[..], &net.inputs[0].shape[..]),
            (&[1][..], &[1, 4, 4][..])
        );
        let columns = ReadOptions { matrix: true, ..options };
        let why = read(vec![node("", "GlobalAveragePool")], &image, &columns).unwrap_err();
        assert!(
            why.starts_with("--matrix: found it with a net that has tensors of its own"),
            "{why}"
        );
    }

    #[test]
    fn what_means_nothing_for_a_graph_is_refused() {
        let options = ReadOptions { raw: true, ..ReadOptions::default() };
        let why = read(vec![node("", "Tanh")], &[None, Some(3)], &options).unwrap_err();
        assert!(
            why.starts_with("--raw: found it with a model of ONNX, expected no such thing"),
            "{why}"
        );
        let mut reduced = node("", "ReduceSum");
        reduced.attribute = vec![proto::Attribute {
            name: "axes".into(),
            ints: vec![0],
            ..proto::Attribute::default()
        }];
        let options = ReadOptions { matrix: true, ..ReadOptions::default() };
        let why = read(vec![reduced], &[None, Some(3)], &options).unwrap_err();
        assert!(
            why.contains("node `last` (ReduceSum): ReduceSum across requests is not supported"),
            "{why}"
        );
    }
}
