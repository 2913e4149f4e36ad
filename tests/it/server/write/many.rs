//! Many concurrent writers, and a server that is killed in between: no acknowledged change is lost.

use super::{ADA, TURTLE, count, file, project, served, update, writable};
use crate::kills::kills;
use std::io::Write;
use std::time::Duration;

#[test]
fn of_eight_writers_none_is_lost() {
    let (folder, served) = writable(&["--threads", "2"]);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let served = &served;
            scope.spawn(move || {
                for number in 0..4 {
                    let text = format!("INSERT DATA {{ e:w{writer} a e:Writer ; e:wrote {number} }}");
                    let answer = update(served, &text, &[]);
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    // A writer sees its acknowledged change.
                    assert_eq!(count(served, &format!("e:w{writer} e:wrote {number}")), "1");
                }
            });
        }
    });
    assert_eq!(count(&served, "?w e:wrote ?n"), "32");
    assert_eq!(file(&folder, "data/new.ttl").matches("e:wrote").count(), 32);
}

#[test]
fn of_two_who_saw_the_same_one_is_told_that_it_has_changed() {
    let (_folder, served) = writable(&[]);
    let graph = "/graphs?graph=http%3A%2F%2Fe%2Fg";
    for round in 0..4 {
        let tag = served.get(graph, "text/turtle").header("etag").unwrap().to_owned();
        let put = |who: &str| {
            let text = format!("<http://e/{who}> <http://e/round> {round} .");
            served.request_with_body("PUT", graph, &[TURTLE, ADA, ("If-Match", &tag)], text.as_bytes()).status
        };
        let mut both = std::thread::scope(|scope| {
            let threads = ["one", "other"].map(|who| scope.spawn(move || put(who)));
            threads.map(|thread| thread.join().unwrap())
        });
        both.sort_unstable();
        assert_eq!(both, [204, 412]);
        assert_eq!(count(&served, &format!("GRAPH e:g {{ ?who e:round {round} }}")), "1");
    }
}

#[cfg(unix)]
#[test]
fn what_a_killed_server_had_answered_is_there_after_the_next_start() {
    let folder = project();
    let mut random = fastrand::Rng::with_seed(7);
    let mut answered = Vec::new();
    let mut number = 0;
    for round in 0..(kills() / 6).max(3) {
        let served = served(folder.path(), &[]);
        for known in &answered {
            assert_eq!(count(&served, &format!("e:n{known} e:p {known}")), "1", "lost in round {round}");
        }
        let wait = Duration::from_millis(random.u64(20..400));
        std::thread::scope(|scope| {
            let served = &served;
            let killer = scope.spawn(move || {
                std::thread::sleep(wait);
                served.signal(libc::SIGKILL);
            });
            while !killer.is_finished() {
                number += 1;
                let text = format!("INSERT DATA {{ e:n{number} a e:Number ; e:p {number} }}");
                let head = format!(
                    "POST /sparql HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/sparql-update\r\n\
                     Authorization: Bearer of-ada\r\nContent-Length: {}\r\n\r\n{text}",
                    served.address,
                    text.len()
                );
                let Ok(mut stream) = std::net::TcpStream::connect(served.address) else { continue };
                let mut answer = String::new();
                let sent = stream.write_all(head.as_bytes());
                let _ = std::io::Read::read_to_string(&mut stream, &mut answer);
                if sent.is_ok() && answer.starts_with("HTTP/1.1 200") {
                    answered.push(number);
                }
            }
        });
    }
    assert!(!answered.is_empty(), "no update was answered in time");
    let served = served(folder.path(), &[]);
    for known in &answered {
        assert_eq!(count(&served, &format!("e:n{known} a e:Number ; e:p {known}")), "1");
    }
    assert!(!folder.path().join("p/.kgq/journal").exists());
}
