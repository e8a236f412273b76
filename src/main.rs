//! The `plusone` program: hands the command line to the library and turns its answer into an exit code.

/// A message passes through many small values on several threads, which the system's allocator pays for dearly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    plusone::cli::main()
}
