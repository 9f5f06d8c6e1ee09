//! Reads the port from an answer to EPSV or PASV.

/// For both commands: some servers answer EPSV with 227, or PASV with 229.
pub fn port_of(text: &str) -> Option<u16> {
    extended_port(text).or_else(|| passive_port(text)).filter(|port| *port != 0)
}

/// `229 Entering Extended Passive Mode (|||6446|)`; the delimiter may be any character (RFC 2428, 3), and some servers leave
/// out the last one and the bracket (Bulletproof).
fn extended_port(text: &str) -> Option<u16> {
    let inside = text.split_once('(')?.1;
    let delimiter = inside.chars().next().filter(|c| !c.is_ascii_digit())?;
    let port = inside.split(delimiter).nth(3)?;
    let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
    port.get(..end)?.parse().ok()
}

/// `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`, with or without brackets (RFC 1123, 4.1.2.6).
fn passive_port(text: &str) -> Option<u16> {
    // Some servers write a blank behind each comma.
    let text = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != ',');
    words.find_map(|word| {
        let numbers: Vec<u8> = word.split(',').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        match numbers[..] {
            [_, _, _, _, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_what_servers_write() {
        for (text, port) in [
            ("229 Entering Extended Passive Mode (|||6446|)", Some(6446)),
            ("229 ok (!!!21!).", Some(21)),
            ("229 Entering Extended Passive Mode (|||6446", Some(6446)),
            ("229 Entering Extended Passive Mode (|||6446)", Some(6446)),
            ("229 ok (|1|192.0.2.1|2121|)", Some(2121)),
            ("229 ok (|||70000|)", None),
            ("229 ok (|||0|)", None),
            ("229 nothing", None),
            ("227 Entering Passive Mode (10,0,0,1,195,80).", Some(195 * 256 + 80)),
            ("227 =10,0,0,1,0,21", Some(21)),
            ("227 Entering Passive Mode (10, 0, 0, 1, 195, 80)", Some(195 * 256 + 80)),
            ("227 Well, entering: 10 ,0 ,0 ,1 ,0 ,21", Some(21)),
            ("227 Entering (10,0,0,1,256,80)", None),
            ("227 Entering (10,0,0,1,0,0)", None),
            ("227 Entering (1,2,3)", None),
        ] {
            assert_eq!(port_of(text), port, "{text}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn a_port_is_one(text in prop_oneof![arbitrary::text(), "229 .\\([|!]{0,4}[0-9]{0,6}[|!]?\\)", "227 .?\\(?([0-9]{1,4},){0,7}[0-9]{0,4}\\)?"]) {
            prop_assert_ne!(port_of(&text), Some(0));
        }

        #[test]
        fn a_port_that_is_told_is_understood(port in 1..u16::MAX) {
            prop_assert_eq!(port_of(&format!("229 Entering Extended Passive Mode (|||{port}|)")), Some(port));
            prop_assert_eq!(port_of(&format!("227 Entering (192,0,2,1,{},{})", port / 256, port % 256)), Some(port));
        }
    }
}
