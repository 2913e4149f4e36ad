//! Settings with which clients start `kgq mcp` by themselves.

use serde_json::{Value, json};

/// The clients with known settings.
pub const CLIENTS: [&str; 5] = ["claude-desktop", "claude-code", "cursor", "vscode", "codex"];

/// Settings, and the file to which they belong.
#[derive(Debug, PartialEq, Eq)]
pub struct Settings {
    pub file: &'static str,
    pub text: String,
}

/// The settings with which a client starts this program with these arguments. `None` for an unknown client.
pub fn print(client: &str, program: &str, arguments: &[String]) -> Option<Settings> {
    let server = json!({ "command": program, "args": arguments });
    Some(match client {
        "claude-desktop" => json_file("claude_desktop_config.json", "mcpServers", &server),
        "claude-code" => json_file(".mcp.json", "mcpServers", &server),
        "cursor" => json_file(".cursor/mcp.json", "mcpServers", &server),
        "vscode" => {
            let mut server = server;
            server["type"] = "stdio".into();
            json_file(".vscode/mcp.json", "servers", &server)
        }
        "codex" => {
            // A JSON string is also a valid TOML string.
            let args: Vec<String> = arguments.iter().map(|argument| json!(argument).to_string()).collect();
            let text = format!("[mcp_servers.kgq]\ncommand = {}\nargs = [{}]\n", json!(program), args.join(", "));
            Settings { file: "~/.codex/config.toml", text }
        }
        _ => return None,
    })
}

fn json_file(file: &'static str, key: &str, server: &Value) -> Settings {
    Settings { file, text: format!("{:#}\n", json!({ key: { "kgq": server } })) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_what_clients_parse() {
        let arguments = ["mcp".to_owned(), "-C".to_owned(), "/a b/\"c\"".to_owned()];
        for client in CLIENTS {
            let settings = print(client, "/usr/bin/kgq", &arguments).unwrap().text;
            let args = if client == "codex" {
                let parsed: toml::Table = settings.parse().unwrap();
                serde_json::to_value(&parsed["mcp_servers"]["kgq"]["args"]).unwrap()
            } else {
                let parsed: Value = serde_json::from_str(&settings).unwrap();
                let servers = parsed.get("mcpServers").or(parsed.get("servers")).unwrap();
                servers["kgq"]["args"].clone()
            };
            assert_eq!(args, json!(arguments), "{client}");
        }
        assert_eq!(print("unknown", "kgq", &[]), None);
    }
}
