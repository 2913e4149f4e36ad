//! The commands of the tutorial work as described, from an empty folder to a published site.

use super::needs::absent_tool;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// A block of commands, with the lines that it must print.
#[derive(Default)]
struct Step {
    commands: String,
    shown: Vec<String>,
}

fn steps(tutorial: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut language = None;
    for line in tutorial.lines() {
        match (line.strip_prefix("```"), language) {
            (Some("sh"), None) => {
                language = Some("sh");
                steps.push(Step::default());
            }
            (Some("text"), None) => language = Some("text"),
            (Some(_), _) => language = None,
            (None, Some("sh")) => {
                let step = steps.last_mut().unwrap();
                step.commands.push_str(line);
                step.commands.push('\n');
            }
            (None, Some(_)) => steps.last_mut().unwrap().shown.push(line.to_owned()),
            (None, None) => {}
        }
    }
    steps
}

#[test]
fn every_command_of_the_tutorial_does_what_it_says() {
    for tool in ["curl", "git"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return absent_tool(tool);
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tutorial = std::fs::read_to_string(root.join("docs/tutorial.md")).unwrap();
    // The tutorial's port may be in use here.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let steps = steps(&tutorial.replace("7979", &free));
    assert!(steps.len() >= 10 && steps.iter().filter(|step| !step.shown.is_empty()).count() >= 8);
    // All steps run in one shell, as they change the folder and start a server; a mark ends each.
    let mark = "=== done";
    let script: String = steps.iter().map(|step| format!("{}echo '{mark}'\n", step.commands)).collect();
    let home = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_kgq")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &format!("exec 2>&1\n{script}")]).current_dir(home.path()).env_clear();
    shell.envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")]).env("HOME", home.path()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    let printed: Vec<&str> = printed.split(mark).collect();
    for (step, printed) in steps.iter().zip(printed) {
        for line in &step.shown {
            assert!(printed.contains(line.as_str()), "`{line}` is not printed by\n{}but\n{printed}", step.commands);
        }
    }
}
