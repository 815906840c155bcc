//! What happens when the files change.

use std::fs;

use front::Peer;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::*;
use crate::meter::Meter;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("access-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn open(files: &AccessFiles) -> Result<Access> {
    files.open(Arc::new(Refusals::new(Arc::new(Meter::new("48")))))
}

fn table(name: &str) -> String {
    let digest = front::digest(format!("us_{name}").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[token]]\nname = '{name}'\nhash = 'sha256:{hex}'\nscopes = ['infer']\n")
}

fn knows(access: &Access, name: &str) -> bool {
    let value = HeaderValue::from_str(&format!("Bearer us_{name}")).unwrap();
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let peer = Peer { address: ([127, 0, 0, 1], 1).into(), certificate: None };
    access.guard.recognise(&headers, &peer).is_some_and(|caller| &*caller.name == name)
}

#[test]
fn tokens_come_and_go_with_their_file() {
    let folder = Folder::new("tokens");
    let tokens = folder.write("tokens.toml", &table("a"));
    let files = AccessFiles { tokens: Some(tokens), ..AccessFiles::default() };
    let mut access = open(&files).unwrap();
    assert!(knows(&access, "a") && !knows(&access, "b"));
    assert!(!access.sources[0].look());
    folder.write("tokens.toml", &(table("b") + &table("c")));
    assert!(access.sources[0].look());
    assert!(!knows(&access, "a") && knows(&access, "b") && knows(&access, "c"));
}

#[test]
fn a_version_in_the_making_is_not_used() {
    let folder = Folder::new("half");
    let whole = table("a") + &table("b");
    let tokens = folder.write("tokens.toml", &whole);
    let files = AccessFiles { tokens: Some(tokens), ..AccessFiles::default() };
    let mut access = open(&files).unwrap();
    for half in ["", &whole[..table("a").len()]] {
        folder.write("tokens.toml", half);
        assert_eq!(access.sources[0].look_twice(), None);
        assert!(knows(&access, "a") && knows(&access, "b"));
    }
    folder.write("tokens.toml", &whole);
    assert_eq!(access.sources[0].look_twice(), Some(false));
    folder.write("tokens.toml", &table("b"));
    assert_eq!(access.sources[0].look_twice(), None);
    assert_eq!(access.sources[0].look_twice(), Some(true));
    assert!(!knows(&access, "a") && knows(&access, "b"));
}

#[test]
fn a_bad_version_changes_nothing_and_is_a_problem_until_it_is_good_again() {
    let folder = Folder::new("bad");
    let tokens = folder.write("tokens.toml", &table("a"));
    let files = AccessFiles { tokens: Some(tokens.clone()), ..AccessFiles::default() };
    let mut access = open(&files).unwrap();
    folder.write("tokens.toml", &(table("b") + "[[token"));
    assert!(access.sources[0].look());
    let problem = access.sources[0].problem().unwrap().to_string();
    assert!(problem.contains("tokens.toml:5: found text that is not TOML"), "{problem}");
    assert!(knows(&access, "a") && !knows(&access, "b"));
    assert!(!access.sources[0].look(), "what is known already is no news");
    fs::remove_file(&tokens).unwrap();
    assert!(access.sources[0].look());
    assert!(knows(&access, "a"));
    folder.write("tokens.toml", &table("a"));
    assert!(access.sources[0].look());
    assert_eq!(access.sources[0].problem(), None);
}

#[test]
fn a_host_that_has_known_a_token_lets_in_nobody_without_one() {
    let folder = Folder::new("locked");
    let config = folder.write("understudy.toml", "");
    let files = AccessFiles { config: Some(config), ..AccessFiles::default() };
    let mut access = open(&files).unwrap();
    assert!(!access.guard.is_locked());
    folder.write("understudy.toml", &table("a"));
    assert!(access.sources[0].look());
    assert!(access.guard.is_locked() && knows(&access, "a"));
    folder.write("understudy.toml", "");
    assert!(access.sources[0].look());
    assert!(access.guard.is_locked() && !knows(&access, "a"));
}

#[test]
fn a_start_with_bad_files_says_which() {
    let folder = Folder::new("start");
    let certificate = folder.write("host.pem", "nothing");
    let key = folder.write("host.key", "nothing");
    let tls = TlsConfig { certificate, key, client_ca: None };
    let files = AccessFiles { tls: Some(tls), ..AccessFiles::default() };
    let error = open(&files).err().unwrap().to_string();
    assert!(error.contains("host.pem: found no certificate in PEM"), "{error}");
    let missing = Some(folder.0.join("tokens.toml"));
    let error = open(&AccessFiles { tokens: missing, ..AccessFiles::default() }).err().unwrap();
    assert!(error.to_string().contains("tokens.toml: found no way to read it"), "{error}");
}

#[test]
fn strangers_are_let_in_only_where_that_is_meant() {
    let reach = |access: &Access, open: bool, address: &str| {
        let address = address.parse().unwrap();
        access.check_reach(open, &[("listen", address, None)]).map_err(|error| error.to_string())
    };
    let access = open(&AccessFiles::default()).unwrap();
    for local in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(reach(&access, false, local), Ok(()), "{local}");
    }
    for elsewhere in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
        let error = reach(&access, false, elsewhere).unwrap_err();
        assert!(error.starts_with(&format!("--listen {elsewhere} would let in")), "{error}");
        assert_eq!(reach(&access, true, elsewhere), Ok(()), "{elsewhere}");
    }
    let folder = Folder::new("reach");
    let tokens = Some(folder.write("tokens.toml", ""));
    let locked = open(&AccessFiles { tokens, ..AccessFiles::default() }).unwrap();
    assert_eq!(reach(&locked, false, "0.0.0.0:1"), Ok(()), "a file of tokens locks the host");
}
