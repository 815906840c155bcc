//! What one tenant sees of the metrics.
//!
//! Taken from the text and not from the families, so that a family that is added later cannot be
//! forgotten: what does not say that it is the tenant's is left out.

/// The lines that are about the endpoints of a tenant, or about the tenant itself, with the
/// description of each family that has one.
pub(super) fn of_tenant(text: &str, tenant: &str) -> String {
    let endpoint = format!("endpoint=\"{tenant}/");
    let itself = format!("tenant=\"{tenant}\"");
    let is_its = |line: &str| {
        let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
        let mut labels = labels.map_or("", |(labels, _)| labels).split(',');
        labels.any(|label| label.starts_with(&endpoint) || label == itself)
    };
    let (mut seen, mut described) = (String::new(), String::new());
    let mut is_described = false;
    for line in text.lines() {
        if line == "# EOF" {
            seen += "# EOF\n";
        } else if line.starts_with('#') {
            if is_described {
                described.clear();
                is_described = false;
            }
            described += line;
            described.push('\n');
        } else {
            is_described = true;
            if is_its(line) {
                seen += &described;
                described.clear();
                seen += line;
                seen.push('\n');
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP a What it is.
# TYPE a counter
a_total{endpoint=\"acme/fraud\",model=\"m\"} 1
a_total{endpoint=\"acmeco/fraud\"} 2
a_total{endpoint=\"flights\"} 3
# HELP b Something of the host.
# TYPE b gauge
b 4
# HELP c Another tenant's.
# TYPE c gauge
c{endpoint=\"other/acme\"} 5
# HELP d Refusals.
# TYPE d counter
d_total{tenant=\"acme\",why=\"rate\"} 6
d_total{tenant=\"other\",why=\"rate\"} 7
d_total{tenant=\"\",why=\"unknown\"} 8
# EOF
";

    #[test]
    fn a_tenant_sees_what_is_its_own() {
        let expected = "\
# HELP a What it is.
# TYPE a counter
a_total{endpoint=\"acme/fraud\",model=\"m\"} 1
# HELP d Refusals.
# TYPE d counter
d_total{tenant=\"acme\",why=\"rate\"} 6
# EOF
";
        assert_eq!(of_tenant(TEXT, "acme"), expected);
        assert_eq!(of_tenant(TEXT, "nobody"), "# EOF\n");
    }
}
