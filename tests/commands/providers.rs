//! `haul providers`.

use haul::providers::REGISTRY;

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

#[test]
fn the_table_shows_each_ability_of_each_provider() {
    let env = TestEnv::new();
    let table = env.home.run(&["providers"]).ends_with(0).stdout;
    for ability in ["remove", "move", "copy", "edit", "visibility", "import", "share", "star", "link", "comments"] {
        assert!(table.lines().any(|l| l.starts_with(ability)), "{ability}: {table}");
    }
    let registered: Vec<&str> = REGISTRY.iter().map(|info| info.id).collect();
    let events = env.json(&["providers"]).ends_with(0).events("providers");
    assert_eq!(events.iter().map(|e| e["provider"].as_str().unwrap()).collect::<Vec<_>>(), registered);
    for event in &events {
        // The abilities with "yes" in JSON are those with a tick in the table.
        let (provider, abilities) = (event["provider"].as_str().unwrap(), event["abilities"].as_object().unwrap());
        let column = registered.iter().position(|id| *id == provider).unwrap();
        for (ability, offered) in abilities {
            let row = table.lines().find(|l| l.split_whitespace().next() == Some(ability)).unwrap_or_else(|| panic!("{ability}: {table}"));
            let cell = row.split_whitespace().nth(1 + column).unwrap();
            assert_eq!(cell != "-", offered.as_bool().unwrap(), "{provider} {ability}: {row}");
        }
    }
    assert!(hosts().iter().all(|remote| env.requests(remote) == 0), "no provider is asked");
}
