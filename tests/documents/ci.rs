//! The examples of `docs/ci.md`, and the action: the commands of a runner are run with a sandbox.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use yaml_rust2::{Yaml, YamlLoader};

use crate::support::env::{TestEnv, bytes};
use crate::support::markdown::blocks;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of `docs/ci.md` in that language.
fn examples(language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    blocks(&text).into_iter().filter(|block| block.language == language).map(|block| block.lines.join("\n") + "\n").collect()
}

fn yaml(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).unwrap().remove(0)
}

/// A sandbox with giga0 called `builds`, and what the examples deliver.
struct Job {
    env: TestEnv,
    variables: BTreeMap<String, String>,
}

impl Job {
    fn new() -> Job {
        let env = TestEnv::new();
        env.home.file("dist/app.tar.gz", bytes(20_000, 1).0);
        env.home.file("dist/app.tar.gz.sha256", "x");
        env.home.file("outbox/a.txt", "a");
        let variables = env.sandbox.env().into_iter().map(|(name, value)| (name.replace("_GIGA0_", "_BUILDS_"), value)).collect();
        Job { env, variables }
    }

    fn command(&self, program: &str) -> Command {
        let folder = Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap();
        let mut command = Command::new(program);
        command.current_dir(self.env.home.path()).env_clear().env("HOME", self.env.home.path()).envs(&self.variables).env("CI", "true");
        command.env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
        command
    }

    #[track_caller]
    fn runs(&self, line: &str) -> String {
        let Output { status, stdout, stderr } = self.command("sh").args(["-ec", line]).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{line}: {status}: {said}");
        said
    }

    #[track_caller]
    fn has(&self, path: &str) {
        assert!(self.env.sandbox.file("giga0", path).is_some(), "{path} is not there: {:?}", self.env.sandbox.arrivals());
    }
}

#[test]
fn a_job_of_gitlab_runs() {
    let gitlab = examples("yaml").into_iter().find(|text| text.starts_with("deliver:")).unwrap();
    let job = Job::new();
    let parsed = yaml(&gitlab);
    let lines: Vec<&str> = parsed["deliver"]["script"].as_vec().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(|line| drop(job.runs(line)));
    job.has("/nightly/dist/app.tar.gz");
    for file in ["receipt.jsonl", "delivery.html", "haul.env"] {
        assert!(job.env.home.path().join(file).exists() && gitlab.contains(file), "{file}");
    }
    assert_eq!(parsed["deliver"]["artifacts"]["reports"]["dotenv"].as_str(), Some("haul.env"));
}

#[test]
fn the_lines_of_jenkins_cron_and_systemd_run() {
    let job = Job::new();
    let jenkins = examples("groovy").remove(0);
    let lines: Vec<&str> = jenkins.lines().filter_map(|line| line.trim().strip_prefix("sh '")?.strip_suffix('\'')).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(|line| drop(job.runs(line)));
    job.has("/nightly/dist/app.tar.gz");
    let cron = examples("crontab").remove(0);
    let line = cron.trim().splitn(6, ' ').nth(5).unwrap().to_owned();
    assert_eq!(job.runs(&line), "", "cron mails what is printed");
    job.has("/hourly/a.txt");

    let units = examples("ini");
    assert_eq!(units.len(), 3);
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for unit in &units {
        let name = unit.lines().next().unwrap().rsplit('/').next().unwrap();
        std::fs::write(folder.path().join(name), unit).unwrap();
        files.push(folder.path().join(name));
    }
    let start = units[0].lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let outbox = format!("{}/outbox/", job.env.home.path().display());
    job.runs(&start.replace("/srv/outbox/", &outbox));
    job.has("/outbox/a.txt");
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&files).output() {
        Ok(checked) => assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}"),
        Err(_) => println!("skipped: there is no systemd-analyze"),
    }
}

/// A release of this very build, where the action looks for it.
fn release(job: &Job) -> Option<String> {
    let target = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "x86_64-unknown-linux-musl",
        ("linux", "aarch64") => "aarch64-unknown-linux-musl",
        _ => return None,
    };
    let (version, name) = ("9.9.9", format!("haul-9.9.9-{target}"));
    let script = format!(
        "mkdir -p releases/v{version} pack/{name} && cp '{}' pack/{name}/haul && tar -C pack -czf releases/v{version}/{name}.tar.gz {name} \
         && cd releases/v{version} && sha256sum *.tar.gz > SHA256SUMS",
        env!("CARGO_BIN_EXE_haul")
    );
    job.runs(&script);
    Some(format!("file://{}/releases", job.env.home.path().display()))
}

#[test]
fn the_action_installs_and_delivers() {
    let action = yaml(&std::fs::read_to_string(root().join("action.yml")).unwrap());
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    let steps = action["runs"]["steps"].as_vec().unwrap();
    assert!(steps.iter().all(|step| step["uses"].is_badvalue()), "it uses no other action");
    let github = yaml(&examples("yaml").into_iter().find(|text| text.starts_with("name: nightly")).unwrap());
    let wanted = github["jobs"]["deliver"]["steps"].as_vec().unwrap();
    assert!(wanted.iter().filter_map(|step| step["uses"].as_str()).all(|uses| uses.ends_with("@COMMIT")), "pinned to a commit");

    let job = Job::new();
    let Some(downloads) = release(&job) else { return };
    let home = job.env.home.path();
    // As the runner fills in the inputs of the action from the example.
    let filled = |input: &str| match input {
        "version" => "9.9.9".to_owned(),
        "downloads" => downloads.clone(),
        other => wanted[0]["with"][other].as_str().unwrap().to_owned(),
    };
    let run = |output: &str| {
        let mut bash = job.command("bash");
        bash.args(["-e", "-c", steps[0]["run"].as_str().unwrap()])
            .env("GITHUB_ACTION_PATH", root())
            .env("RUNNER_TEMP", home.join("runner"));
        bash.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", home.join(output)).env("GITHUB_STEP_SUMMARY", home.join("page.md"));
        bash.env("GITHUB_PATH", home.join("path"));
        for (name, input) in steps[0]["env"].as_hash().unwrap() {
            let input = input.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            bash.env(name.as_str().unwrap(), filled(input));
        }
        bash.output().unwrap()
    };
    let ran = run("output");
    assert!(ran.status.success(), "{ran:?}");
    job.has("/nightly/app.tar.gz");
    let outputs = std::fs::read_to_string(home.join("output")).unwrap();
    assert!(outputs.starts_with("files=2\nbytes=20001\nfailed=0\nreceipt=receipt.jsonl\n"), "{outputs}");
    let declared: Vec<&str> = action["outputs"].as_hash().unwrap().keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(declared, ["files", "bytes", "failed", "receipt", "id", "url"]);
    assert!(std::fs::read_to_string(home.join("path")).unwrap().contains("haul-action/haul-9.9.9-"));
    assert!(std::fs::read_to_string(home.join("page.md")).unwrap().starts_with("### haul: 2 files, "));
    for step in wanted.iter().filter_map(|step| step["run"].as_str()) {
        job.runs(step);
    }
    assert!(home.join("delivery.html").exists());
    // What is not what the release says is not run.
    job.runs("for file in releases/v9.9.9/*.tar.gz; do echo x >> \"$file\"; done");
    let refused = run("output2");
    assert!(!refused.status.success() && !home.join("output2").exists(), "{refused:?}");
}
