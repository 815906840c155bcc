//! What a file of tokens may say, and what it may not.

use super::*;

const HASH: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn parse(text: &str) -> Result<AccessConfig, String> {
    let text = text.replace("HASH", HASH);
    AccessConfig::parse(Path::new("tokens.toml"), &text, &AccessConfig::default())
        .map_err(|problem| problem.to_string())
}

fn token(name: &str, more: &str) -> String {
    format!("[[token]]\nname = '{name}'\n{more}\n")
}

#[test]
fn a_token_says_who_what_whose_and_until_when() {
    let text = token(
        "robot",
        "hash = 'HASH'\nscopes = ['infer', 'operate']\ntenant = 'acme'\nexpires = 2027-01-31T00:00:00Z",
    );
    let access = parse(&text).unwrap();
    let token = &access.tokens[0];
    assert_eq!((token.name.as_str(), token.tenant.as_deref()), ("robot", Some("acme")));
    assert_eq!(token.hash.unwrap()[..3], [0, 0x11, 0x22]);
    assert_eq!(token.scopes, [Scope::Infer, Scope::Operate]);
    assert_eq!(token.expires, Some(Time::from_us(1_801_353_600_000_000)));
    assert_eq!(access.quota, Quota::default());
}

#[test]
fn what_a_tenant_leaves_out_is_what_the_quota_says() {
    let access = parse(
        "[quota]\nrequests_per_second = 10\nburst = 40\nconcurrent = 4\n
        [[tenant]]\nname = 'acme'\nrequests_per_second = 100\n
        [[tenant]]\nname = 'other'\nconcurrent = 1",
    )
    .unwrap();
    let quota = |rate, burst, concurrent| Quota {
        requests_per_second: Some(rate),
        burst,
        concurrent: Some(concurrent),
    };
    assert_eq!(access.quota_of("acme"), quota(100, None, 4));
    assert_eq!(access.quota_of("other"), quota(10, Some(40), 1));
    assert_eq!(access.quota_of("third"), quota(10, Some(40), 4));
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let check = |text: &str, expected: &str| {
        assert_eq!(parse(text).unwrap_err(), format!("tokens.toml:{expected}"), "{text}");
    };
    let full = "hash = 'HASH'\nscopes = ['infer']";
    check(
        &token("a", "scopes = ['infer']"),
        "1: token[0].hash: found neither \"hash\" nor \"certificate\", expected one of \"hash\", \
         \"certificate\"",
    );
    check(
        &token("a", "hash = 'HASH'\ncertificate = 'HASH'\nscopes = ['infer']"),
        "4: token[0].certificate: found it beside a \"hash\", expected one of \"hash\", \
         \"certificate\"",
    );
    check(
        &token("a", "hash = 'HASH'\nscopes = []"),
        "4: token[0].scopes: found an empty array, expected some of \"infer\", \"observe\", \
         \"operate\"",
    );
    check(
        &token("a", "hash = 'HASH'\nscopes = ['admin']"),
        "4: token[0].scopes[0]: found \"admin\", expected one of \"infer\", \"observe\", \
         \"operate\"",
    );
    check(
        &token("a", "hash = 'abc'\nscopes = ['infer']"),
        "3: token[0].hash: found \"abc\", expected \"sha256:\" and 64 hexadecimal digits",
    );
    check(
        &(token("a", full) + &token("a", "certificate = 'HASH'\nscopes = ['infer']")),
        "6: token[1].name: found \"a\" a second time, expected another name",
    );
    check(
        &(token("a", full) + &token("b", full)),
        "7: token[1].hash: found what another token has already, expected a token for each",
    );
    check(
        "[[tenant]]\nname = 'acme'\nburst = 3",
        "3: tenant[0].burst: found a burst of no rate, expected \"requests_per_second\" beside it",
    );
    check(
        &token("a b", full),
        "2: token[0].name: found \"a b\", expected letters, digits, \".\", \"_\" and \"-\", at \
         most 100, not starting with \".\"",
    );
}

#[test]
fn a_file_of_tokens_adds_to_what_stands_beneath_and_contradicts_nothing() {
    let beneath =
        parse(&(token("a", "hash = 'HASH'\nscopes = ['infer']") + "[quota]\nconcurrent = 1"))
            .unwrap();
    let add = |text: &str| {
        AccessConfig::parse(Path::new("tokens.toml"), text, &beneath)
            .map_err(|problem| problem.to_string())
    };
    let other = HASH.replace("00", "01");
    let joined = add(&token("b", &format!("hash = '{other}'\nscopes = ['infer']"))).unwrap();
    assert_eq!(joined.tokens.len(), 2);
    assert_eq!(joined.quota, beneath.quota);
    for text in [
        token("a", &format!("hash = '{other}'\nscopes = ['infer']")),
        token("b", &format!("hash = '{HASH}'\nscopes = ['infer']")),
        "[quota]\nconcurrent = 2".to_owned(),
    ] {
        assert!(add(&text).is_err(), "{text}");
    }
}

#[test]
fn a_token_is_added_behind_what_a_file_holds() {
    let file = Path::new("tokens.toml");
    let token = TokenConfig {
        name: "robot".to_owned(),
        hash: Some([0xab; 32]),
        certificate: None,
        scopes: vec![Scope::Infer, Scope::Observe],
        tenant: Some("acme".to_owned()),
        expires: Some(Time::from_us(1_801_353_600_000_000)),
    };
    let text = "# who may call\n[quota]\nconcurrent = 3 # each\n\n\n";
    let longer = add_token(file, text, &token).unwrap();
    let hash = "ab".repeat(32);
    let expected = format!(
        "# who may call\n[quota]\nconcurrent = 3 # each\n\n[[token]]\nname = \"robot\"\n\
         hash = \"sha256:{hash}\"\nscopes = [\"infer\", \"observe\"]\ntenant = \"acme\"\n\
         expires = 2027-01-31T00:00:00Z\n"
    );
    assert_eq!(longer, expected);
    let read = AccessConfig::parse(file, &longer, &AccessConfig::default()).unwrap();
    assert_eq!(read.tokens, std::slice::from_ref(&token));
    assert!(add_token(file, &longer, &token).is_err());
    assert!(add_token(file, "nonsense", &token).is_err());
    assert!(add_token(file, "", &token).unwrap().starts_with("[[token]]\n"));
}
