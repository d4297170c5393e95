#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("tokens"), |data: &[u8]| {
    sealbid_fuzz::targets::tokens::run(data);
});
