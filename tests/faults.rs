use crate::haul::Home;
use crate::put::{Content, Play};

#[test]
fn explore() {
    let routes: [(&str, &str, &[&str], &[&str]); 5] = [
        (
            "iogates",
            "tus",
            &["sign-in", "auth-info", "files", "file-create", "tus-options", "tus-create", "tus-patch", "tus-head", "file"],
            &[],
        ),
        ("iogates", "plupload", &["plupload", "file"], &[]),
        ("iogates", "ftps", &["file-create", "file"], &[]),
        ("giga0", "auto", &["authorize", "account/info", "account/package", "folder/listing", "folder/create", "file/upload"], &[]),
        ("fileago", "auto", &["sign-in", "details", "dirlist", "change", "upload-token", "upload"], &[]),
    ];
    let faults = ["cut=0", "cut=100000", "answer-lost", "500", "429=0", "503=0", "html", "413", "expired"];
    let mut handles = vec![];
    for (remote, protocol, kinds, _) in routes {
        for kind in kinds {
            for fault in faults {
                handles.push((remote, protocol, kind.to_string(), fault));
            }
        }
    }
    let queue = std::sync::Arc::new(std::sync::Mutex::new(handles));
    let threads: Vec<_> = (0..8).map(|_| { let queue = queue.clone(); std::thread::spawn(move || {
        loop {
            let Some((remote, protocol, kind, fault)) = queue.lock().unwrap().pop() else { return };
            let play = Play::new();
            let content = Content((0..300_000u32).map(|n| (n % 251) as u8).collect());
            play.home.file("film.bin", &content.0);
            let script = format!("{remote}/{kind}:{fault}");
            play.sandbox.faults().script(&script).unwrap();
            let begun = std::time::Instant::now();
            let ran = play.home.run(&["put", "--json", "--timeout", "2s", "--chunk-size", "100000", "--protocol", protocol, "film.bin", &format!("{remote}:/box/film.bin")]);
            let there = play.arrived(remote);
            let n = play.sandbox.arrived().len();
            let ok = there.get("/box/film.bin") == Some(&content);
            let c = play.sandbox.counts();
            let ev = ran.json().into_iter().find(|e| e["event"] == "uploaded" || e["event"]=="failed").unwrap_or_default();
            println!("{protocol:9} {script:32} -> {} same={ok} arrived={n} created={} received={} signins={} left={} proto={} retries={} {:.1}s {}", ran.status, c.created(remote), c.all_received(remote), c.sign_ins(remote), play.sandbox.faults().left().len(), ev["protocol"], ev["retries"], begun.elapsed().as_secs_f64(), ev["error"]["message"]);
        }
    })}).collect();
    for t in threads {
        t.join().unwrap();
    }
    let _ = Home::new();
}
