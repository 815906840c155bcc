//! What policies and routes are refused for, and where their models are named.

use std::path::Path;

use super::*;

fn refused(text: &str, expected: &str) {
    let problem = EndpointConfig::parse(Path::new("e"), text).unwrap_err();
    assert_eq!(problem.to_string(), format!("e:{expected}"), "{text}");
}

fn split(arms: &str, expected: &str) {
    refused(&format!("[policy]\nkind = 'split'\n{arms}"), expected);
}

fn ensemble(keys: &str, expected: &str) {
    refused(&format!("[policy]\nkind = 'ensemble'\n{keys}"), expected);
}

#[test]
fn a_kind_of_policy_has_keys_of_its_own() {
    refused(
        "policy = { kind = 'lottery' }",
        "1: policy.kind: found \"lottery\", expected one of \"preference\", \"split\", \
         \"ensemble\"",
    );
    refused(
        "[policy]\norder = []\nquorum = 1",
        "3: policy.quorum: found a key of kind \"ensemble\", expected the keys of kind \
         \"preference\": \"order\"; did you mean kind = \"ensemble\"?",
    );
    split(
        "arm = [{ weight = 1, model = 'a' }]\norder = []",
        "4: policy.order: found a key of kind \"preference\", expected the keys of kind \
         \"split\": one of \"seed\", \"shadow\", \"arm\"",
    );
    split(
        "arm = [\n{ name = 'x', weight = 1, policy = { seed = 's' } },\n]",
        "4: policy.arm[0].policy.seed: found a key of kind \"split\", expected the keys of kind \
         \"preference\": \"order\"; did you mean kind = \"split\"?",
    );
    split(
        "arm = [{ name = 'x', weight = 1, policy = {\ndefault = { y = [1] } } }]",
        "4: policy.arm[0].policy.default: found a default of its own, expected the one of \
         [policy], which holds for every arm and route",
    );
}

#[test]
fn an_arm_says_in_one_way_what_it_does() {
    let expected = "expected exactly one of \"model\", \"order\", \"policy\"";
    let arm = |keys: &str, expected: &str| {
        let before = "arm = [{ weight = 1, model = 'z' }, {\n";
        split(&format!("{before}{keys} }}]"), expected);
    };
    arm("weight = 1", &format!("3: policy.arm[1]: found nothing that answers, {expected}"));
    arm(
        "weight = 1, model = 'a', order = [{ model = 'b' }]",
        &format!("3: policy.arm[1]: found several of them, {expected}"),
    );
    arm(
        "weight = 1, order = []",
        &format!("3: policy.arm[1]: found an order of no models, {expected}"),
    );
    arm("weight = 1, policy = {}", "3: policy.arm[1]: found no key \"name\", expected one");
    arm("model = 'a'", "3: policy.arm[1]: found no key \"weight\", expected one");
    arm(
        "weight = 1, model = 'z'",
        "3: policy.arm[1].name: found \"z\" a second time, expected another name for each arm of \
         a split",
    );
    arm(
        "weight = 1, name = 'a/b', model = 'a'",
        "4: policy.arm[1].name: found \"a/b\", expected letters, digits, \".\", \"_\" and \"-\", \
         at most 100, not starting with \".\"",
    );
}

#[test]
fn weights_are_numbers_of_which_one_is_above_zero_at_any_time() {
    let expected = "expected 0 or a number from 0.000001 to 1000000000";
    for (weight, found) in
        [("-1", "-1"), ("nan", "NaN"), ("inf", "inf"), ("1e-9", "1e-9"), ("'1'", "\"1\"")]
    {
        split(
            &format!("arm = [{{ weight = {weight}, model = 'a' }}]"),
            &format!("3: policy.arm[0].weight: found {found}, {expected}"),
        );
    }
    let sum = "expected an arm with a weight above 0 at any time";
    split(
        "",
        "1: policy.arm: found no arm, expected at least one arm in a split, and at most \
         1024 in all",
    );
    split(
        "arm = [{ weight = 0, model = 'a' }, { weight = 0.0, model = 'b' }]",
        &format!("3: policy.arm: found weights that are all 0, {sum}"),
    );
    split(
        "arm = [{ weight = 1, model = 'a', ramp = { to = 0, starts = 1970-01-01T00:00:07Z, over = \
         '1s' } }]",
        &format!(
            "3: policy.arm: found weights that are all 0 8 s after the beginning of 1970, {sum}"
        ),
    );
    // One ramp is over before the other starts.
    split(
        "[[policy.arm]]\nweight = 1\nmodel = 'a'\nramp = { to = 0, starts = \
         1970-01-01T00:00:01Z, over = '1s' }\n[[policy.arm]]\nweight = 0\nmodel = 'b'\nramp = { to \
         = 1, starts = 1970-01-01T00:00:03Z, over = '1s' }",
        &format!(
            "3: policy.arm: found weights that are all 0 2 s after the beginning of 1970, {sum}"
        ),
    );
    split(
        "arm = [{ weight = 1, model = 'a', ramp = { to = 0, starts = 2026-11-21, over = '1s' } }]",
        "3: policy.arm[0].ramp.starts: found \"2026-11-21\", expected a point in time since 1970 \
         with its offset such as 2026-11-21T00:00:00Z",
    );
}

#[test]
fn an_ensemble_has_members_and_says_how_it_combines_them() {
    ensemble("combine = 'mean'", "1: policy.members: found no members, expected at least one");
    ensemble(
        "members = [{ model = 'a' }]",
        "1: policy: found no key \"combine\", expected one of \"mean\", \"weighted-mean\", \
         \"median\", \"majority\", \"weighted-vote\"",
    );
    ensemble(
        "combine = 'weighted-meen'\nmembers = [{ model = 'a' }]",
        "3: policy.combine: found \"weighted-meen\", expected one of \"mean\", \
         \"weighted-mean\", \"median\", \"majority\", \"weighted-vote\"; did you mean \
         \"weighted-mean\"?",
    );
    ensemble(
        "combine = 'mean'\nquorum = 2\nmembers = [{ model = 'a' }]",
        "4: policy.quorum: found 2, expected a whole number from 1 to 1, the members",
    );
    ensemble(
        "combine = 'median'\nmembers = [{ model = 'a' }, { model = 'b', weight = 2 }]",
        "4: policy.members[1].weight: found a weight, expected none, as combine = \"median\" has no \
         use for it",
    );
    ensemble(
        "combine = 'weighted-vote'\nmembers = [{ model = 'a', weight = 0 }]",
        "4: policy.members[0].weight: found 0, expected a number from 0.000001 to 1000000000",
    );
    ensemble(
        "combine = 'mean'\nmembers = [\n{ model = 'a' },\n{ model = 'a' },\n]",
        "6: policy.members[1].model: found \"a\" a second time, expected each model once",
    );
}

#[test]
fn a_route_has_a_condition_or_finds_models() {
    let route = |keys: &str, expected: &str| refused(&format!("[[route]]\n{keys}"), expected);
    route("model = 'a'", "1: route[0]: found no key \"when\", expected one");
    route(
        "when = 'true'",
        "1: route[0]: found nothing that answers, expected exactly one of \"model\", \"order\", \
         \"policy\"",
    );
    route(
        "when = 'true'\nmodel = 'a'\nchoose = 'key'",
        "1: route[0]: found no key \"models\", expected one",
    );
    route(
        "models = 'client-*'\nmodel = 'a'",
        "1: route[0]: found \"models\" beside \"model\" or \"policy\", expected \"models\" with \
         \"order\"",
    );
    for pattern in ["client", "*-*", "a b*", "../*", ".*"] {
        route(
            &format!("models = '{pattern}'"),
            &format!(
                "2: route[0].models: found {pattern:?}, expected names of models with one star \
                 such as \"client-*\""
            ),
        );
    }
    route(
        "models = 'client-*'\norder = [{ model = 'client-a' }]",
        "3: route[0].order[0].model: found \"client-a\", which \"client-*\" finds too, expected \
         each model once",
    );
    route(
        "models = 'client-*'\n[roles]\ndecoy = 'client-a'",
        "2: route[0].models: found \"client-*\", which finds the decoy \"client-a\", expected \
         models that may answer",
    );
    route(
        "name = 'x'\nwhen = 'true'\nmodel = 'a'\n[[route]]\nname = 'x'\nwhen = 'true'\nmodel = 'a'",
        "6: route[1].name: found \"x\" a second time, expected another name for each route",
    );
}

#[test]
fn policies_stand_in_each_other_only_so_deep() {
    let nested = |depth: usize| {
        let before = "{ kind = 'split', arm = [{ name = 'x', weight = 1, policy = ";
        format!("policy = {}{{}}{}", before.repeat(depth - 1), " }] }".repeat(depth - 1))
    };
    let deepest = nested(POLICY_DEPTH_LIMIT);
    assert!(EndpointConfig::parse(Path::new("e"), &deepest).is_ok());
    refused(
        &nested(POLICY_DEPTH_LIMIT + 1),
        "1: policy.arm[0].policy.arm[0].policy.arm[0].policy.arm[0].policy: found a policy at depth \
         5, expected at most 4 in each other",
    );
}

#[test]
fn there_are_only_so_many_arms_models_and_routes() {
    let arms = (0..=ARM_LIMIT).map(|arm| format!("{{ weight = 1, model = 'm{arm}' }}"));
    let arms: Vec<String> = arms.collect();
    split(
        &format!("arm = [{}]", arms.join(", ")),
        "3: policy.arm: found one arm more, expected at least one arm in a split, and at most 1024 \
         in all",
    );
    let models = (0..=MODELS_LIMIT).map(|model| format!("{{ model = 'm{model}' }}"));
    let models: Vec<String> = models.collect();
    refused(
        &format!("policy = {{ order = [{}] }}", models.join(", ")),
        "1: policy.order: found 257 models, expected at most 256",
    );
    let route = "[[route]]\nmodels = 'c-*'\n";
    refused(&route.repeat(ROUTE_LIMIT + 1), "1: route: found 257 routes, expected at most 256");
}

#[test]
fn every_named_model_is_found_where_its_name_stands() {
    let text = r#"
        [policy]
        kind = "split"
        arm = [
            { weight = 1, model = "a" },
            { weight = 1, order = [{ model = "b" }] },
            { weight = 1, name = "c", policy = { kind = "ensemble", combine = "mean", members = [
                { model = "d" } ], below = [{ model = "e" }] } },
        ]
        [[route]]
        when = "true"
        policy = { order = [{ model = "f" }] }
        [[route]]
        when = "true"
        model = "g"
        [[route]]
        models = "client-*"
        order = [{ model = "h" }]
    "#;
    let document = Document::parse(Path::new("e"), text).unwrap();
    let config = EndpointConfig::read(&document).unwrap();
    let found: Vec<String> = config
        .mentions(&document)
        .iter()
        .map(|(path, model)| {
            assert!(document.has(path), "{path}");
            format!("{path}={model}")
        })
        .collect();
    let expected = [
        "policy.arm[0].model=a",
        "policy.arm[1].order[0].model=b",
        "policy.arm[2].policy.members[0].model=d",
        "policy.arm[2].policy.below[0].model=e",
        "route[0].policy.order[0].model=f",
        "route[1].model=g",
        "route[2].order[0].model=h",
    ];
    assert_eq!(found, expected);
    let names = config.model_names();
    assert_eq!(names.iter().map(ModelName::as_str).collect::<String>(), "abdefgh");
}
