//! The settings of the engine: one set for running and for compiling, since an artefact only loads
//! where both agree.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    Strategy, WasmBacktraceDetails,
};

/// How sessions get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// From slots that were reserved at start: a session costs microseconds.
    Pooled,
    /// From the system, where address space is too small to reserve slots.
    OnDemand,
}

/// The stack that a guest may use. Threads that call guests need more than this.
const GUEST_STACK_BYTES: usize = 512 << 10;
/// The largest memory of one session that a slot has room for.
pub(crate) const MEMORY_BYTES_LIMIT: usize = 2 << 30;

/// Makes an engine that runs up to `sessions` at once, from a pool where the system has room.
pub(crate) fn running(sessions: u32) -> wasmtime::Result<(Engine, Allocation)> {
    let mut config = config();
    config.allocation_strategy(pool(sessions));
    match Engine::new(&config) {
        Ok(engine) => Ok((engine, Allocation::Pooled)),
        Err(error) => {
            tracing::warn!(%error, "no pool of sessions, memory comes from the system on demand");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Ok((Engine::new(&config)?, Allocation::OnDemand))
        }
    }
}

/// Makes an engine that only compiles.
pub(crate) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

fn config() -> Config {
    let mut config = Config::new();
    switch_off(&mut config);
    config.epoch_interruption(true);
    // The same bits on every machine. NaNs are made canonical in outputs, which is far cheaper
    // than in every instruction.
    config.wasm_simd(true).wasm_relaxed_simd(true).relaxed_simd_deterministic(true);
    config.max_wasm_stack(GUEST_STACK_BYTES).async_stack_size(2 << 20);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(20));
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.native_unwind_info(false);
    config.memory_reservation(4 << 30).memory_guard_size(32 << 20).guard_before_linear_memory(true);
    config.memory_may_move(false).memory_init_cow(true);
    config.memory_guaranteed_dense_image_size(256 << 20);
    config.strategy(Strategy::Cranelift).cranelift_opt_level(OptLevel::Speed);
    config.parallel_compilation(true);
    config
}

/// Switches off what no model needs and what most advisories about the engine were about.
fn switch_off(config: &mut Config) {
    config.wasm_component_model(true).concurrency_support(false);
    config.gc_support(false).wasm_gc(false).wasm_function_references(false).wasm_exceptions(false);
    config.wasm_threads(false).wasm_memory64(false).wasm_tail_call(true);
}

fn pool(sessions: u32) -> PoolingAllocationConfig {
    let sessions = sessions.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(sessions)
        .total_core_instances(sessions.saturating_mul(128))
        .total_memories(sessions.saturating_mul(2))
        .total_tables(sessions.saturating_mul(4))
        .total_stacks(1)
        .total_gc_heaps(1)
        .max_core_instances_per_component(256)
        .max_memories_per_component(8)
        .max_tables_per_component(64)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .table_elements(100_000)
        .max_memory_size(MEMORY_BYTES_LIMIT)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(32)
        .decommit_batch_size(16);
    pool
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    fn compatibility(engine: &Engine) -> u64 {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_one_engine_compiles_the_other_runs() {
        let (running, allocation) = running(8).unwrap();
        assert_eq!(allocation, Allocation::Pooled);
        assert_eq!(compatibility(&running), compatibility(&compiling().unwrap()));
    }
}
