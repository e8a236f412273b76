//! The `plusone` program: hands the command line to the library and turns its answer into an exit code.

/// Rows, facts and words are small texts, made on one thread and freed on another: an allocator made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    plusone::cli::main()
}
