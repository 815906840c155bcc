//! Small files by hand; `tests/trained` has those that the library wrote.

use trained::{Block, Inputs, Values};

use super::*;
use crate::{ColumnOption, Task};

const FILE: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:2
feature_names=distance carrier
feature_infos=[0:10] 0:1:2
tree_sizes=1 1

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=2.5 0
decision_type=2 1
left_child=1 -2
right_child=-1 -3
leaf_value=0.25 -1 1
cat_boundaries=0 1
cat_threshold=5
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
split_feature=
leaf_value=0.5

end of trees

parameters:
[categorical_feature: 1]
end of parameters

pandas_categorical:[[\"AA\", \"UA\", \"HA\"]]
";

fn raw(text: &str, distance: &[f64], carriers: &[&str]) -> Values {
    let options = ReadOptions { raw: true, ..ReadOptions::default() };
    let trained = read(text.as_bytes(), &options).unwrap();
    let carriers = carriers.iter().map(|it| (*it).to_owned()).collect();
    let inputs =
        vec![Block::f64(1, distance.to_vec()), Block { width: 1, values: Values::Text(carriers) }];
    let run = trained.pipeline.run(inputs, distance.len());
    run.slots[usize::from(trained.pipeline.outputs[1].slot)].values.clone()
}

fn refused(text: &str, options: &ReadOptions) -> String {
    crate::read(text.as_bytes(), options).unwrap_err().to_string()
}

#[test]
fn rows_find_their_leaves() {
    let scores = raw(FILE, &[2.5, 2.5, f64::NAN, 3.0, 0.0], &["AA", "UA", "HA", "AA", "unseen"]);
    assert_eq!(scores, Values::F64(vec![-0.5, 1.5, -0.5, 0.75, 1.5]));
}

#[test]
fn columns_and_outputs_have_their_names() {
    let trained = read(FILE.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!((trained.task, trained.summary.as_str()), (Task::Binary, "2 trees, binary"));
    let Inputs::Columns(columns) = &trained.pipeline.inputs else { panic!("no columns") };
    let columns: Vec<_> = columns.iter().map(|it| (it.name.as_str(), it.kind)).collect();
    assert_eq!(columns, [("distance", Kind::F64), ("carrier", Kind::Text)]);
    assert_eq!(trained.columns[0].domain.range, Some((0.0, 10.0)));
    assert_eq!(trained.columns[1].domain.categories.as_ref().unwrap()[2], "HA");
    let outputs: Vec<_> = trained.pipeline.outputs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(outputs, ["probability"]);
}

#[test]
fn a_matrix_has_codes() {
    let options = ReadOptions { matrix: true, output: Some("late".into()), ..Default::default() };
    let trained = read(FILE.as_bytes(), &options).unwrap();
    assert!(matches!(&trained.pipeline.inputs, Inputs::Matrix { width: 2, .. }));
    let run = trained.pipeline.run(vec![Block::f64(2, vec![0.0, 2.0])], 1);
    assert_eq!(run.slots.last(), Some(&Block::f64(1, vec![1.0 / (1.0 + 1.0_f64.exp())])));
    assert_eq!(trained.pipeline.outputs[0].name, "late");
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    let none = ReadOptions::default();
    let text = FILE.replace("binary sigmoid:2", "mystery");
    assert_eq!(
        refused(&text, &none),
        "the header, key `objective`: the objective `mystery` is not supported"
    );
    let text = FILE.replace("version=v4", "version=v2");
    assert!(refused(&text, &none).starts_with("the header, key `version`: the format v2 is not"));
    let text = FILE.replace("end of trees", "");
    assert!(refused(&text, &none).starts_with("the end of the file: found 2 trees, expected the"));
    let text = FILE.replace("threshold=2.5 0", "threshold=2.5");
    assert_eq!(refused(&text, &none), "Tree=0, key `threshold`: found 1 numbers, expected 2");
    let text = FILE.replace("left_child=1 -2", "left_child=0 -2");
    assert_eq!(
        refused(&text, &none),
        "tree 0: found a tree that leads to split 0 twice, expected a tree"
    );
    let text = FILE.replace("[[\"AA\", \"UA\", \"HA\"]]", "[[\"AA\"], [\"UA\"]]");
    assert!(refused(&text, &none).starts_with(
        "the key `pandas_categorical`: names of categories for 2 columns, of which 1 are known,"
    ));
}

#[test]
fn options_that_do_not_fit_the_file_are_refused() {
    let columns = Some(vec![ColumnOption { name: "a".into(), kind: None }]);
    assert_eq!(
        refused(FILE, &ReadOptions { columns, ..Default::default() }),
        "--columns: found 1 names, expected one for each of the 2 columns of the file"
    );
    assert_eq!(
        refused(FILE, &ReadOptions { categorical: vec!["hour".into()], ..Default::default() }),
        "--categorical: found `hour`, expected the name of a column"
    );
    let categorical = vec!["carrier".into()];
    assert_eq!(
        refused(FILE, &ReadOptions { matrix: true, categorical, ..Default::default() }),
        "--categorical: found `carrier`, expected no types of columns, since one tensor with all of them has one type"
    );
    let output = Some("raw".into());
    assert_eq!(
        refused(FILE, &ReadOptions { output, raw: true, ..Default::default() }),
        "--output: found `raw`, which another output is called, expected a name of its own"
    );
}

#[test]
fn a_length_that_is_only_said_takes_no_memory() {
    let huge = |from: &str, to: &str| refused(&FILE.replacen(from, to, 1), &ReadOptions::default());
    assert_eq!(
        huge("num_leaves=3", "num_leaves=18446744073709551615"),
        "Tree=0, key `split_feature`: found 2 numbers, expected 18446744073709551614"
    );
    assert_eq!(
        huge("max_feature_idx=1", "max_feature_idx=18446744073709551615"),
        "the header, key `feature_names`: found 2 of them, expected 18446744073709551615"
    );
    let trees = FILE.find("Tree=0").unwrap()..FILE.find("end of trees").unwrap();
    let mut none =
        FILE.replacen("num_tree_per_iteration=1", "num_tree_per_iteration=1000000000000", 1);
    none.replace_range(trees.start + 12..trees.end + 12, "");
    assert!(refused(&none, &ReadOptions::default()).contains("a model with 1000000000000 scores"));
}
