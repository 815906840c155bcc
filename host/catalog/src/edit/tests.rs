//! Files before and after, comments and all.

use super::*;
use crate::endpoint::EndpointConfig;

const FILE: &str = "endpoint.toml";

fn file() -> &'static Path {
    Path::new(FILE)
}

fn check(edited: Result<String, EditError>, expected: &str) {
    let edited = edited.unwrap();
    assert_eq!(edited, expected, "found:\n{edited}");
    EndpointConfig::parse(file(), &edited).unwrap();
}

const RICH: &str = r#"# Flights from New York.
deadline = "50ms"   # as the contract says

# Who plays.
[roles]
champion = "gbdt"        # since spring
challengers = ["logit"]
fallback = "base-rate"

[policy]
order = [
  # the slow and the good
  { model = "gbdt", until = "30ms" },   # 30 ms suffice
  { model = "logit" },                  # nearly as good
  { model = "base-rate" },
]
default = { delayed = [0.2] }

# Hawaiian is different.
[[route]]
when = "key == 'HA'"
order = [{ model = "hawaiian" }, { model = "gbdt" }]
"#;

#[test]
fn a_promotion_exchanges_names_and_keeps_every_comment() {
    let expected = RICH
        .replace("champion = \"gbdt\"", "champion = \"logit\"")
        .replace("[\"logit\"]", "[\"gbdt\"]")
        .replace(
            "{ model = \"gbdt\", until = \"30ms\" },   # 30 ms suffice\n  { model = \"logit\" }, ",
            "{ model = \"logit\", until = \"30ms\" },   # 30 ms suffice\n  { model = \"gbdt\" }, ",
        );
    check(promote(file(), RICH, &"logit".into()), &expected);
}

#[test]
fn a_newcomer_takes_the_place_and_the_patience_of_the_champion() {
    let expected = RICH
        .replace("champion = \"gbdt\"", "champion = \"next\"")
        .replace("[\"logit\"]", "[\"logit\", \"gbdt\"]")
        .replace(
            "  # the slow and the good\n  { model = \"gbdt\"",
            "  { model = \"next\", until = \"30ms\" },\n  # the slow and the good\n  { model = \"gbdt\"",
        );
    check(promote(file(), RICH, &"next".into()), &expected);
}

#[test]
fn a_model_from_further_down_moves_up_and_the_others_move_down() {
    let text = "[roles]\nchampion = 'a'\n[policy]\norder = [{ model = 'a', until = '1ms' }, \
                { model = 'b', until = '2ms' }, { model = 'c' }]\n";
    let expected = "[roles]\nchampion = \"c\"\nchallengers = [\"a\"]\n[policy]\norder = [\
                    { model = \"c\", until = '1ms' }, { model = \"a\", until = '2ms' }, \
                    { model = \"b\" }]\n";
    check(promote(file(), text, &"c".into()), expected);
}

#[test]
fn an_order_of_tables_is_an_order() {
    let text = "[roles]\nchampion = 'a'\n\n[[policy.order]]\nmodel = 'a' # best\nuntil = '1ms'\n\n\
                [[policy.order]]\nmodel = 'b'\n";
    let expected = "[roles]\nchampion = \"n\"\nchallengers = [\"a\"]\n\n[[policy.order]]\n\
                    model = \"n\" # best\nuntil = '1ms'\n\n[[policy.order]]\nmodel = \"a\" # best\n\
                    until = '1ms'\n\n[[policy.order]]\nmodel = 'b'\n";
    let edited = promote(file(), text, &"n".into()).unwrap();
    let config = EndpointConfig::parse(file(), &edited).unwrap();
    assert_eq!(config, EndpointConfig::parse(file(), expected).unwrap(), "{edited}");
    assert!(edited.contains("# best"), "{edited}");
}

#[test]
fn a_file_that_names_nobody_gets_its_roles() {
    check(promote(file(), "", &"a".into()), "[roles]\nchampion = \"a\"\n");
    let edited = promote(file(), "# mine\ndeadline = '1s'\n", &"a".into());
    check(edited, "# mine\ndeadline = '1s'\n\n[roles]\nchampion = \"a\"\n");
    let edited = promote(file(), "roles = { champion = 'a' } # inline\n", &"b".into());
    check(edited, "roles = { champion = \"b\" , challengers = [\"a\"] } # inline\n");
}

#[test]
fn a_retired_model_is_named_nowhere() {
    let expected = RICH
        .replace("challengers = [\"logit\"]\n", "")
        .replace("  { model = \"logit\" },                  # nearly as good\n", "");
    check(retire(file(), RICH, &"logit".into()), &expected);
    let expected = RICH
        .replace("champion = \"gbdt\"        # since spring\n", "")
        .replace("{ model = \"hawaiian\" }, { model = \"gbdt\" }", "{ model = \"hawaiian\" }")
        .replace(
            "\n  # the slow and the good\n  { model = \"gbdt\", until = \"30ms\" },   # 30 ms suffice\n",
            "\n",
        );
    check(retire(file(), RICH, &"gbdt".into()), &expected);
    let expected = RICH
        .replace("fallback = \"base-rate\"\n", "")
        .replace("  { model = \"base-rate\" },\n", "");
    check(retire(file(), RICH, &"base-rate".into()), &expected);
    check(retire(file(), RICH, &"nobody".into()), RICH);
}

#[test]
fn elements_leave_arrays_of_any_layout() {
    let check = |before: &str, expected: &str| {
        let around = |order: &str| format!("[policy]\norder = {order}\n");
        let edited = retire(file(), &around(before), &"x".into()).unwrap();
        assert_eq!(edited, around(expected));
    };
    check("[{ model = 'x' }]", "[]");
    check("[{ model = 'x' }, { model = 'b' }]", "[{ model = 'b' }]");
    check("[{ model = 'a' }, { model = 'x' }]", "[{ model = 'a' }]");
    check("[\n  { model = 'a' }, # a\n  { model = 'x' } # x\n]", "[\n  { model = 'a' } # a\n]");
    check("[\n  { model = 'a' }, # a\n  { model = 'x' }, # x\n]", "[\n  { model = 'a' }, # a\n]");
    check("[\n  { model = 'x' }, # x\n  { model = 'b' }, # b\n]", "[\n  { model = 'b' }, # b\n]");
}

#[test]
fn a_pause_is_one_line() {
    let check = |before: &str, paused: &str| {
        let edited = set_paused(file(), before, true).unwrap();
        assert_eq!(edited, paused);
        assert_eq!(set_paused(file(), &edited, true).unwrap(), paused);
        assert_eq!(set_paused(file(), &edited, false).unwrap(), before);
    };
    check("", "paused = true\n");
    check("# mine\n", "# mine\npaused = true\n");
    check("deadline = '1s' # long\n", "deadline = '1s' # long\npaused = true\n");
    check(
        "# The flights.\n\n# Who plays.\n[roles]\nchampion = 'a'\n",
        "# The flights.\n\npaused = true\n\n# Who plays.\n[roles]\nchampion = 'a'\n",
    );
    let edited = set_paused(file(), "paused = false # for now\n", true).unwrap();
    assert_eq!(edited, "paused = true # for now\n");
}

#[test]
fn a_policy_is_shown_with_its_comments_and_set_back_unchanged() {
    let shown = policy_of(file(), RICH).unwrap();
    assert_eq!(shown, RICH.split_once("says\n\n").unwrap().1);
    check(set_policy(file(), RICH, &shown), RICH);
}

#[test]
fn what_a_new_policy_leaves_out_goes_and_all_else_stays() {
    let by = "[policy]\norder = [{ model = \"logit\" }] # alone\n";
    let rest = RICH.split_once("[policy]").unwrap().0;
    check(set_policy(file(), RICH, by), &format!("{rest}{by}"));
    let after = "# a\n[policy]\norder = [{ model = 'x' }]\n\n# b\n[limits]\nqueue = 3\n# end\n";
    let expected = "# a\n[policy]\norder = [{ model = \"logit\" }] # alone\n\n# b\n[limits]\nqueue = 3\n# end\n";
    check(set_policy(file(), after, by), expected);
    let roles = "[roles]\nchampion = 'x'\n";
    let expected = format!(
        "# a\n[policy]\norder = [{{ model = 'x' }}]\n\n# b\n[limits]\nqueue = 3\n\n{roles}# end\n"
    );
    let edited = set_policy(file(), after, roles).unwrap();
    assert_eq!(
        EndpointConfig::parse(file(), &edited).unwrap(),
        EndpointConfig::parse(file(), &expected).unwrap(),
        "{edited}"
    );
    check(set_policy(file(), "deadline = '1s'\n", by), &format!("deadline = '1s'\n\n{by}"));
    check(set_policy(file(), "", by), by);
}

#[test]
fn a_policy_of_tables_stays_together() {
    let by = "[policy]\nkind = \"preference\"\n\n[[policy.order]]\nmodel = \"a\"\n\n\
              [[policy.order]]\nmodel = \"b\"\n\n[policy.default]\ny = [1.0]\n";
    let before = "[policy]\norder = [{ model = 'x' }]\n\n[limits]\nqueue = 3\n";
    check(set_policy(file(), before, by), &format!("{by}\n[limits]\nqueue = 3\n"));
}

#[test]
fn only_a_policy_is_taken_for_one() {
    let error = set_policy(file(), RICH, "deadline = '1s'\n").unwrap_err().to_string();
    assert_eq!(
        error,
        "the policy: found the key \"deadline\", expected only \"policy\", \"roles\" and \"route\""
    );
    let error = set_policy(file(), RICH, "[policy\n").unwrap_err().to_string();
    assert!(error.starts_with("the policy:1: found text that is not TOML"), "{error}");
    let error = promote(file(), "roles = 3\n", &"a".into()).unwrap_err().to_string();
    assert!(error.starts_with("endpoint.toml: roles: found integer, which has to"), "{error}");
}
