//! When the endpoint is asked, and what its answers are worth.

use evenkeel::core::time::Duration;
use evenkeel::core::version::{Mode, Reason, Status, VersionOutput};

use super::world::{Endpoint, HOUR, LATENCY, MINUTE, POLL, SECOND, World};

fn asks(world: &World) -> Vec<u64> {
    world.said_at(VersionOutput::Check)
}

#[test]
fn a_visible_page_asks_every_five_minutes_and_up_to_a_tenth_later() {
    let mut world = World::new();
    world.run(HOUR);
    let asks = asks(&world);
    let gaps: Vec<u64> = asks.windows(2).map(|pair| pair[1] - pair[0]).chain([asks[0]]).collect();
    assert!(gaps.iter().all(|gap| (POLL..=POLL * 11 / 10).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap != gaps[0]), "jittered");
}

#[test]
fn nothing_is_polled_while_hidden_offline_or_without_an_interval() {
    let mut hidden = World::new();
    hidden.show(false);
    let mut offline = World::new();
    offline.network(false);
    for mut world in [hidden, offline, World::with(|settings| settings.poll = None), World::without_endpoint()] {
        world.run(2 * HOUR);
        assert_eq!(world.log, []);
    }
}

#[test]
fn whatever_brings_a_page_back_has_it_asked_once_within_a_second() {
    let back: [fn(&mut World); 4] = [
        |world| {
            world.show(false);
            world.run(HOUR);
            world.show(true);
        },
        |world| {
            world.network(false);
            world.run(HOUR);
            world.network(true);
        },
        |world| {
            world.run(MINUTE);
            world.restore();
        },
        |world| world.sleep(HOUR),
    ];
    for (nth, back) in back.iter().enumerate() {
        let mut world = World::new();
        back(&mut world);
        let from = world.now;
        world.forget();
        // All at once, as on a laptop that wakes.
        world.network(true);
        world.restore();
        world.run(MINUTE);
        assert!(matches!(asks(&world)[..], [at] if at - from <= SECOND), "{nth}: {:?} from {from}", asks(&world));
    }
}

#[test]
fn a_page_that_is_shown_and_hidden_without_end_asks_once_a_second_at_most() {
    let mut world = World::new();
    for _ in 0..600 {
        world.show(false);
        world.run(30);
        world.show(true);
        world.run(70);
    }
    assert!((30..=61).contains(&asks(&world).len()), "{}", asks(&world).len());
}

#[test]
fn who_wants_to_know_is_answered_and_joins_a_question_that_is_out() {
    let mut world = World::new();
    world.check();
    world.run(LATENCY / 2);
    world.check();
    world.run(SECOND);
    assert_eq!(asks(&world), [0]);
    assert_eq!(world.said_at(VersionOutput::Checked), [LATENCY]);
    world.check();
    assert_eq!(asks(&world).len(), 2, "at once");
}

#[test]
fn what_was_found_is_shown_before_those_who_wait_are_told() {
    let mut world = World::new();
    world.deploy('B');
    world.check();
    world.run(LATENCY);
    assert!(matches!(
        world.log[..],
        [(_, VersionOutput::Check), (_, VersionOutput::Show(_)), (_, VersionOutput::Checked)]
    ));
}

#[test]
fn without_an_endpoint_who_wants_to_know_is_answered_at_once() {
    let mut world = World::without_endpoint();
    world.check();
    assert_eq!(world.log, [(0, VersionOutput::Checked)]);
}

#[test]
fn an_endpoint_that_never_answers_is_let_go_after_ten_seconds_and_nothing_changes() {
    let mut world = World::new();
    world.endpoint = Endpoint::Silent;
    world.check();
    world.run(MINUTE);
    assert_eq!(
        world.log,
        [(0, VersionOutput::Check), (10 * SECOND, VersionOutput::Cancel), (10 * SECOND, VersionOutput::Checked),]
    );
    assert_eq!(world.shown().latest, None);
}

#[test]
fn a_check_that_fails_changes_nothing() {
    let mut world = World::new();
    world.endpoint = Endpoint::Fails;
    world.check();
    world.run(MINUTE);
    assert_eq!(world.log, [(0, VersionOutput::Check), (LATENCY, VersionOutput::Checked)]);
}

#[test]
fn a_header_only_has_the_endpoint_asked_whose_answer_decides() {
    let mut world = World::new();
    world.header('B');
    world.run(SECOND + LATENCY);
    assert!(matches!(asks(&world)[..], [at] if at <= SECOND));
    assert_eq!((world.shown().status, world.shown().latest), (Status::Current, Some(0)));
    world.run(POLL / 2);
    assert_eq!(asks(&world).len(), 1, "and not asked again for what it has answered");
    world.assert_not_reloaded();
}

#[test]
fn a_header_of_another_version_than_the_endpoints_changes_nothing_either() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.deploy('B');
    world.header('C');
    world.run(2 * SECOND);
    assert_eq!(world.shown().latest, Some(world.id('B')));
}

#[test]
fn without_an_endpoint_the_header_decides() {
    let mut world = World::without_endpoint();
    world.mode = Mode::Prompt;
    world.header('B');
    let shown = world.shown();
    assert_eq!(
        (shown.status, shown.latest, shown.reason),
        (Status::UpdateAvailable, Some(world.id('B')), Some(Reason::Mismatch))
    );
    world.header('A');
    assert_eq!((world.shown().status, world.shown().latest), (Status::Current, Some(0)), "it was rolled back");
}

#[test]
fn the_jitter_of_a_header_is_no_longer_than_the_spread() {
    let mut world = World::with(|settings| settings.spread = Duration::ZERO);
    world.header('B');
    world.run(1);
    assert_eq!(asks(&world), [0]);
}

#[test]
fn a_canary_that_answers_every_second_costs_an_hour_some_three_dozen_checks() {
    let mut world = World::new();
    for _ in 0..3_600 {
        world.header('C');
        world.run(SECOND);
    }
    let asks = asks(&world);
    println!("{} checks in an hour", asks.len());
    assert!((10..=40).contains(&asks.len()), "{}", asks.len());
    let gaps: Vec<u64> = asks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[..7].windows(2).all(|pair| pair[1] > pair[0]), "{gaps:?}");
}

#[test]
fn several_canaries_cost_little_more() {
    let mut world = World::new();
    for _ in 0..3_600 {
        ['B', 'C', 'D'].into_iter().for_each(|name| world.header(name));
        world.run(SECOND);
    }
    println!("{} checks in an hour", asks(&world).len());
    assert!(asks(&world).len() <= 60, "{}", asks(&world).len());
}

#[test]
fn a_server_that_is_another_version_each_time_is_asked_about_as_rarely() {
    let mut world = World::new();
    for nth in 0..3_600 {
        world.header(char::from_u32(0x1000 + nth).expect("a name"));
        world.run(SECOND);
    }
    println!("{} checks in an hour", asks(&world).len());
    assert!(asks(&world).len() <= 60, "{}", asks(&world).len());
}

#[test]
fn a_canary_does_not_hide_a_deploy() {
    let mut world = World::new();
    for _ in 0..600 {
        world.header('C');
        world.run(SECOND);
    }
    world.deploy('B');
    world.header('B');
    world.run(SECOND + LATENCY);
    assert_eq!(world.shown().latest, Some(world.id('B')));
    // What was contradicted before may be right now.
    world.mode = Mode::Prompt;
    world.deploy('C');
    world.header('C');
    world.run(SECOND + LATENCY);
    assert_eq!(world.shown().latest, Some(world.id('C')));
}

#[test]
fn a_header_that_came_while_the_endpoint_was_asked_has_it_asked_again() {
    let mut world = World::new();
    world.check();
    world.run(LATENCY / 2);
    world.header('B');
    world.run(LATENCY);
    assert_eq!(world.shown().latest, Some(0), "it did not know yet");
    world.deploy('B');
    world.run(3 * SECOND);
    assert_eq!(world.shown().latest, Some(world.id('B')));
}

#[test]
fn a_header_whose_check_fails_is_asked_about_until_the_endpoint_is_back() {
    let mut world = World::new();
    world.endpoint = Endpoint::Fails;
    world.header('B');
    world.run(2 * MINUTE);
    assert!((5..=8).contains(&asks(&world).len()), "doubling waits: {:?}", asks(&world));
    world.deploy('B');
    world.run(POLL);
    assert_eq!(world.reloads.len(), 1);
}

#[test]
fn what_is_known_already_asks_nothing() {
    let mut world = World::new();
    world.mode = Mode::Prompt;
    world.learn('B');
    world.header('B');
    world.header('A');
    world.refuse();
    world.run(POLL / 2);
    assert_eq!(asks(&world).len(), 1);
}

#[test]
fn a_refused_page_asks_which_version_it_should_be() {
    let mut world = World::new();
    world.deploy('B');
    world.mode = Mode::Prompt;
    world.refuse();
    while asks(&world).is_empty() {
        world.run(1);
    }
    world.refuse();
    world.run(POLL / 2);
    assert_eq!(world.shown().latest, Some(world.id('B')));
    assert_eq!(asks(&world).len(), 1);
}

#[test]
fn a_page_that_is_refused_though_the_endpoint_names_its_version_does_not_loop() {
    let mut world = World::new();
    for _ in 0..3_600 {
        world.refuse();
        world.run(SECOND);
    }
    assert!(asks(&world).len() <= 40, "{}", asks(&world).len());
    assert_eq!(world.shown().status, Status::Current);
    world.assert_not_reloaded();
}

#[test]
fn an_answer_that_nobody_asked_for_is_dropped() {
    let mut world = World::new();
    world.answer_unasked('B');
    world.run(MINUTE);
    assert_eq!(world.log, []);
}

#[test]
fn nothing_comes_after_stop() {
    let mut world = World::new();
    world.hold(true);
    world.learn('B');
    world.endpoint = Endpoint::Silent;
    world.header('C');
    world.run(SECOND);
    world.forget();
    world.stop();
    assert_eq!(world.log, [(world.now, VersionOutput::Cancel)]);
    world.forget();
    world.hold(false);
    world.header('D');
    world.run(HOUR);
    world.check();
    world.apply();
    world.run(SECOND);
    world.stop();
    assert_eq!(world.log, []);
}
