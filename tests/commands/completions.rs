//! `haul completions`.

use crate::support::env::Play;

#[test]
fn the_values_of_an_option_are_completed() {
    let script = Play::new().home.run(&["completions", "bash"]).ends_with(0).stdout;
    for words in ["update replace skip rename fail", "auto tus plupload ftps ftp multipart", "private unlisted public"] {
        assert!(script.contains(&format!("compgen -W \"{words}\"")), "{words}");
    }
}
