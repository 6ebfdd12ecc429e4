//! Tabs that share one connection are frozen, killed, shown and hidden in any order: each hears every event, once.

use proptest::prelude::*;

use evenkeel::core::hub::Input;

use super::script::SECOND;
use super::world::World;

const TABS: usize = 3;
/// What the feed begins with.
const HEAD: u64 = 100;

/// What happens next, to one of the tabs.
#[derive(Clone, Copy, Debug)]
enum Op {
    Event,
    Run(u64),
    Freeze(usize),
    Thaw(usize),
    Visible(usize, bool),
    Away(usize, bool),
    Kill(usize),
    Cut,
}

fn op() -> impl Strategy<Value = Op> {
    let tab = || 0..TABS;
    prop_oneof![
        8 => Just(Op::Event),
        8 => (0..2 * SECOND).prop_map(Op::Run),
        4 => (0..20 * SECOND).prop_map(Op::Run),
        3 => tab().prop_map(Op::Freeze),
        3 => tab().prop_map(Op::Thaw),
        3 => (tab(), any::<bool>()).prop_map(|(tab, visible)| Op::Visible(tab, visible)),
        2 => (tab(), any::<bool>()).prop_map(|(tab, away)| Op::Away(tab, away)),
        1 => tab().prop_map(Op::Kill),
        1 => Just(Op::Cut),
    ]
}

fn happen(world: &mut World, op: Op) {
    let runs = |world: &World, tab: usize| world.pages[tab].runs();
    match op {
        Op::Event => world.event(),
        Op::Run(time) => world.run(time),
        Op::Freeze(tab) => world.freeze(tab),
        Op::Thaw(tab) if world.pages[tab].alive => world.thaw(tab),
        Op::Visible(tab, visible) if runs(world, tab) => world.visible(tab, visible),
        Op::Away(tab, away) if runs(world, tab) => world.tell(tab, Input::Away(away)),
        Op::Kill(tab) if world.pages.iter().filter(|page| page.alive).count() > 1 => world.kill(tab),
        Op::Cut => world.cut(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_tabs_each_hears_every_event_once(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::sharing(TABS);
        // Where nobody has seen an id, nobody can tell what is missing.
        world.event();
        world.run(SECOND);
        for op in ops {
            happen(&mut world, op);
        }
        for tab in 0..TABS {
            happen(&mut world, Op::Thaw(tab));
            happen(&mut world, Op::Away(tab, false));
        }
        for _ in 0..120 {
            world.event();
            world.run(SECOND);
        }
        prop_assert_eq!((world.leaders().len(), world.open_streams()), (1, 1));
        world.assert_nothing_missed(HEAD);
    }
}
