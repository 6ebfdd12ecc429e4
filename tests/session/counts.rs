//! What it costs: requests for the session, by the number of tabs.

use super::script::*;
use super::world::World;

const INTERVALS: u64 = 20;

/// Jitter makes an interval a twentieth longer, on the average.
#[test]
fn twenty_intervals_cost_twenty_requests_or_one_or_two_less_whatever_the_tabs() {
    println!("requests for the session in {INTERVALS} intervals");
    println!("tabs  requests  words among the tabs");
    for tabs in [1, 3, 10] {
        let mut world = World::of(ANNE, tabs);
        world.show(tabs / 2, true);
        world.run(SECOND);
        world.forget();
        world.run_active(tabs / 2, INTERVALS * ACTIVE);
        println!("{tabs:4}  {:8}  {:20}", world.asked.len(), world.words.len());
        assert!((18..=20).contains(&world.asked.len()), "{tabs} tabs: {}", world.asked.len());
    }
}

#[test]
fn so_do_tabs_that_come_and_go_and_are_switched_between_beside_their_loads() {
    let mut world = World::of(ANNE, 5);
    world.run(SECOND);
    let mut loads = 0;
    for round in 0..200 {
        let (hides, shows) = (round % world.tabs.len(), (round + 1) % world.tabs.len());
        for (tab, visible) in [(hides, false), (shows, true)] {
            if world.tabs[tab].alive {
                world.show(tab, visible);
            }
        }
        match round % 40 {
            10 => {
                world.open(true);
                loads += 1;
            }
            30 => world.close(world.leaders()[0]),
            _ => {}
        }
        world.run(30 * SECOND);
    }
    let asked = world.asked.len();
    assert!((18..=20 + loads).contains(&asked), "{asked} for {loads} loads");
}
