//! `haul tree`.

use crate::support::listed_tree::{ALL, filled_env, paths};
use crate::support::remotes::hosts;

#[test]
fn a_tree_is_drawn() {
    let env = filled_env();
    for remote in hosts() {
        let at = format!("{remote}:/in");
        let whole = env.home.run(&["tree", &at]).ends_with(0);
        let drawing = "├── [x].txt\n├── a.mov\n├── b.mov\n├── clips/\n│   ├── -d.mov\n│   ├── c.mov\n│   └── old/\n│       └── e.mov\n├── empty/\n├── größe ✓.txt\n└── x.txt\n\n3 folders, 8 files\n";
        assert_eq!(whole.stdout, format!("{at}\n{drawing}"), "{remote}");
        let folders = env.home.run(&["tree", "-d", &at]).ends_with(0);
        assert_eq!(folders.stdout, format!("{at}\n├── clips/\n│   └── old/\n└── empty/\n\n3 folders\n"), "{remote}");
        let level = env.home.run(&["tree", "-d", "-L", "1", &at]).ends_with(0);
        assert_eq!(level.stdout, format!("{at}\n├── clips/\n└── empty/\n\n2 folders\n"), "{remote}");
        assert_eq!(paths(&env.home.run(&["tree", "--json", &at]).ends_with(0)), ALL, "{remote}");
        let file = env.home.run(&["tree", &format!("{remote}:/in/a.mov")]).ends_with(0);
        assert_eq!(file.stdout, format!("{remote}:/in/a.mov\n\n0 folders, 1 file\n"));
    }
    env.home.run(&["tree", "-L", "0", "giga0:"]).ends_with(2);
}
