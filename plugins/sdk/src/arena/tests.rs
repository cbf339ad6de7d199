//! Run under Miri as well: `cargo +nightly miri test -p countersign-plugin arena`.

use std::{alloc::System, thread};

use proptest::prelude::*;

use super::*;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

/// A block with every byte written, so that Miri and the other blocks' checks see an overlap.
struct Block {
    start: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Block {
    fn new<const N: usize>(arena: &Arena<N, System>, layout: Layout, mark: u8) -> Self {
        // SAFETY: the layouts of these tests are never of size 0.
        let start = unsafe { arena.alloc(layout) };
        assert!(!start.is_null());
        let block = Self { start, layout, mark };
        block.fill();
        block
    }

    fn fill(&self) {
        // SAFETY: the block is `layout.size()` long.
        unsafe { self.start.write_bytes(self.mark, self.layout.size()) };
    }

    fn is_intact(&self) -> bool {
        // SAFETY: as in `fill`, which has written it all.
        (0..self.layout.size()).all(|at| unsafe { self.start.add(at).read() } == self.mark)
    }

    fn resize<const N: usize>(&mut self, arena: &Arena<N, System>, size: usize) {
        let kept = size.min(self.layout.size());
        // SAFETY: the block is the arena's, with this layout.
        self.start = unsafe { arena.realloc(self.start, self.layout, size) };
        assert!(!self.start.is_null());
        self.layout = layout(kept, self.layout.align());
        assert!(self.is_intact(), "resizing lost bytes");
        self.layout = layout(size, self.layout.align());
        self.fill();
    }

    fn free<const N: usize>(self, arena: &Arena<N, System>) {
        assert!(self.is_intact(), "another block was written over this one");
        // SAFETY: the block is the arena's, with this layout, and not used again.
        unsafe { arena.dealloc(self.start, self.layout) };
    }
}

fn free<const N: usize>(blocks: impl IntoIterator<Item = Block>, arena: &Arena<N, System>) {
    for block in blocks {
        block.free(arena);
    }
}

#[test]
fn blocks_are_aligned_and_do_not_overlap() {
    let arena = Arena::<1024, _>::new(System);
    let blocks: Vec<Block> = [(1, 1), (3, 8), (5, 2), (16, 16), (1, 1), (64, 32), (7, 4)]
        .into_iter()
        .zip(1..)
        .map(|((size, align), mark)| Block::new(&arena, layout(size, align), mark))
        .collect();
    for block in &blocks {
        assert_eq!(block.start.addr() % block.layout.align(), 0);
        assert!(arena.offset(block.start).is_some());
    }
    free(blocks, &arena);
}

#[test]
fn what_does_not_fit_comes_from_the_second_allocator() {
    let arena = Arena::<64, _>::new(System);
    let inside = Block::new(&arena, layout(60, 1), 1);
    let outside = Block::new(&arena, layout(5, 1), 2);
    assert!(arena.offset(inside.start).is_some());
    assert!(arena.offset(outside.start).is_none());
    let last = Block::new(&arena, layout(4, 1), 3);
    assert!(arena.offset(last.start).is_some(), "what still fits is still taken from here");
    free([inside, outside, last], &arena);
}

#[test]
fn the_last_block_grows_shrinks_and_is_given_back_in_place() {
    let arena = Arena::<64, _>::new(System);
    let mut block = Block::new(&arena, layout(8, 1), 1);
    let start = block.start;
    block.resize(&arena, 64);
    assert_eq!((block.start, arena.used()), (start, 64));
    block.resize(&arena, 4);
    assert_eq!((block.start, arena.used()), (start, 4));
    block.free(&arena);
    assert_eq!(arena.used(), 0);
}

#[test]
fn a_block_under_another_moves_to_grow_and_stays_to_shrink() {
    let arena = Arena::<64, _>::new(System);
    let mut lower = Block::new(&arena, layout(8, 1), 1);
    let upper = Block::new(&arena, layout(8, 1), 2);
    let start = lower.start;
    lower.resize(&arena, 4);
    assert_eq!(lower.start, start);
    lower.resize(&arena, 16);
    assert_ne!(lower.start, start);
    free([lower, upper], &arena);
}

#[test]
fn the_last_block_moves_out_when_it_outgrows_the_arena() {
    let arena = Arena::<64, _>::new(System);
    let mut block = Block::new(&arena, layout(48, 1), 1);
    block.resize(&arena, 200);
    assert!(arena.offset(block.start).is_none());
    assert_eq!(arena.used(), 0, "the block that was left is given back");
    block.resize(&arena, 400);
    block.free(&arena);
}

#[test]
fn a_size_near_the_end_of_the_address_space_is_not_wrapped_around() {
    let arena = Arena::<64, _>::new(System);
    assert_eq!(arena.take(layout(isize::MAX as usize, 1)), None);
    assert!(!arena.resize(0, 0, usize::MAX));
}

#[test]
fn threads_get_blocks_of_their_own() {
    let arena = Arena::<4096, _>::new(System);
    thread::scope(|scope| {
        for mark in 1..=4 {
            let arena = &arena;
            scope.spawn(move || {
                for size in 1..40 {
                    let mut block = Block::new(arena, layout(size, 4), mark);
                    block.resize(arena, size + 9);
                    block.free(arena);
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_calls_makes_blocks_overlap(
        calls in prop::collection::vec((0..3u8, 0..8usize, 1..96usize, 0..6u32), 1..60)
    ) {
        let arena = Arena::<512, _>::new(System);
        let mut blocks: Vec<Block> = Vec::new();
        for (mark, (call, index, size, align)) in (0..).zip(calls) {
            match call {
                0 => blocks.push(Block::new(&arena, layout(size, 1 << align), mark)),
                1 if index < blocks.len() => blocks[index].resize(&arena, size),
                2 if index < blocks.len() => blocks.swap_remove(index).free(&arena),
                _ => {}
            }
            for block in &blocks {
                prop_assert!(block.is_intact());
                prop_assert_eq!(block.start.addr() % block.layout.align(), 0);
            }
        }
        free(blocks, &arena);
    }
}
