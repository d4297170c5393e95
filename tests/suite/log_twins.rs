//! The log's hashes, proofs, tiles and notes against other people's code, which was written after the same texts.

use sealbid::kernel::digest::{Digest, sha256};
use sealbid::tlog::entry::leaf_hash;
use sealbid::tlog::note::{Note, NoteError, Verifier};
use sealbid::tlog::specimen::{Specimen, files_of};
use sealbid::tlog::tiles::{self, Content, Tile};
use sealbid::tlog::tree::{Frontier, is_consistent, node_hash, root_of_inclusion};
use sealbid::tlog::{checkpoint::Checkpoint, prove};
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{Error, Hash, HashReader, TileHashReader, TileReader};

/// The largest tree of which every proof is compared.
const SIZE: u64 = 70;

fn theirs(digest: &Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn ours(hashes: &[Hash]) -> Vec<Digest> {
    hashes.iter().map(|hash| Digest::from_bytes(hash.0)).collect()
}

/// Their storage of a tree.
#[derive(Default)]
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).expect("small")]).collect())
    }
}

fn subtree(leaves: &[Digest], level: u32, index: u64) -> Digest {
    let from = usize::try_from(index << level).expect("small");
    match level {
        0 => leaves[from],
        _ => node_hash(&subtree(leaves, level - 1, 2 * index), &subtree(leaves, level - 1, 2 * index + 1)),
    }
}

#[test]
fn hashes_and_proofs_of_every_small_tree_are_theirs() {
    let commitments: Vec<Digest> = (0..SIZE).map(|n| sha256(&n.to_be_bytes())).collect();
    let leaves: Vec<Digest> = commitments.iter().map(leaf_hash).collect();
    let (mut stored, mut frontier, mut roots) = (Stored::default(), Frontier::empty(), vec![Frontier::empty().root()]);
    for (n, (commitment, leaf)) in (0_u64..).zip(commitments.iter().zip(&leaves)) {
        let entry: Vec<u8> = std::iter::once(tiles::ENTRY_VERSION).chain(*commitment.as_bytes()).collect();
        assert_eq!(tlog_tiles::record_hash(&entry), theirs(leaf));
        let new = tlog_tiles::stored_hashes(n, &entry, &stored).expect("stored");
        stored.0.extend(new);
        frontier.append(*leaf);
        roots.push(frontier.root());
    }
    let read = |level: u32, index: u64| Ok::<_, ()>(subtree(&leaves, level, index));
    for size in 1..=SIZE {
        let root = roots[usize::try_from(size).expect("small")];
        assert_eq!(tlog_tiles::tree_hash(size, &stored).expect("a root"), theirs(&root));
        for index in 0..size {
            let leaf = leaves[usize::try_from(index).expect("small")];
            let proof = tlog_tiles::prove_record(size, index, &stored).expect("a proof");
            assert_eq!(prove::inclusion(index, size, read), Ok(ours(&proof)), "{index} of {size}");
            assert_eq!(root_of_inclusion(index, size, &leaf, &ours(&proof)), Some(root));
            for wrong in 0..proof.len() {
                let mut proof = proof.clone();
                proof[wrong].0[0] ^= 1;
                assert!(tlog_tiles::check_record(&proof, size, theirs(&root), index, theirs(&leaf)).is_err());
                assert_ne!(root_of_inclusion(index, size, &leaf, &ours(&proof)), Some(root));
            }
        }
        for old in 1..size {
            let before = roots[usize::try_from(old).expect("small")];
            let proof = tlog_tiles::prove_tree(size, old, &stored).expect("a proof");
            assert_eq!(prove::consistency(old, size, read), Ok(ours(&proof)), "{old} to {size}");
            assert!(is_consistent(old, &before, size, &root, &ours(&proof)));
            for wrong in 0..proof.len() {
                let mut proof = proof.clone();
                proof[wrong].0[31] ^= 0x80;
                assert!(tlog_tiles::check_tree(&proof, size, theirs(&root), old, theirs(&before)).is_err());
                assert!(!is_consistent(old, &before, size, &root, &ours(&proof)));
            }
        }
    }
}

/// Our tiles, asked for in their way.
struct Files(std::collections::BTreeMap<String, Vec<u8>>);

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, wanted: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &tlog_tiles::Tile| {
            // Their paths are not those of the specification.
            let width = u16::try_from(tile.width()).expect("256 at most");
            let tile = Tile { content: Content::Hashes(tile.level()), n: tile.level_index(), width };
            self.0.get(&tile.to_string()).cloned().ok_or(Error::InvalidTile)
        };
        wanted.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn their_client_reads_our_tiles_and_proves_every_leaf_from_them() {
    let mut files = files_of(&[11, 1, 50, 300]);
    let note = String::from_utf8(files["checkpoint"].clone()).expect("text");
    let head = Checkpoint::parse(Note::parse(&note).expect("a note").text()).expect("a checkpoint");
    let root = theirs(&head.root);
    let reader = Files(files.clone());
    let hashes = TileHashReader::new(head.size, root, &reader);
    let mut index = 0;
    for n in 0..head.size.div_ceil(256) {
        let bundle = Tile { content: Content::Entries, n, width: tiles::width_in(head.size, 0, n) };
        for commitment in tiles::commitments(&files[&bundle.to_string()]).expect("a bundle") {
            let leaf = theirs(&leaf_hash(&commitment));
            let proof = tlog_tiles::prove_record(head.size, index, &hashes).expect("their client believes the tiles");
            tlog_tiles::check_record(&proof, head.size, root, index, leaf).expect("proven");
            index += 1;
        }
    }
    assert!(index == head.size && index > 512, "{index}");
    files.get_mut("tile/0/000").expect("a full tile")[77] ^= 1;
    let reader = Files(files);
    let hashes = TileHashReader::new(head.size, root, &reader);
    // Their reader does not compare every full tile with the one above it, so what comes out is judged by the root.
    let leaf = theirs(&leaf_hash(&tiles::commitments(&reader.0["tile/entries/000"]).expect("a bundle")[3]));
    let checked = tlog_tiles::prove_record(head.size, 3, &hashes)
        .and_then(|proof| tlog_tiles::check_record(&proof, head.size, root, 3, leaf));
    assert!(checked.is_err(), "a changed tile proves nothing");
}

#[test]
fn notes_are_read_and_refused_as_they_do() {
    let specimen = Specimen::new();
    let vkey = specimen.log.verifier.to_string();
    let list = || VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).expect("their key"))]);
    let note = specimen.log.note("log.example/audit/main\n8\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    let verifier = Verifier::parse(&vkey).expect("our key");
    let judged = |bytes: &[u8]| {
        let they = signed_note::Note::from_bytes(bytes).is_ok_and(|note| note.verify(&list()).is_ok());
        let text = std::str::from_utf8(bytes);
        let we = text.is_ok_and(|text| Note::parse(text).and_then(|note| note.verify(&verifier)).is_ok());
        (they, we)
    };
    assert_eq!(judged(note.as_bytes()), (true, true));
    for at in 0..note.len() {
        for bit in [1, 0x20, 0x80] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= bit;
            assert_eq!(judged(&bytes), (false, false), "byte {at} changed by {bit}");
        }
    }
    // Written again, it is the same to the byte.
    let parsed = signed_note::Note::from_bytes(note.as_bytes()).expect("a note");
    assert_eq!(String::from_utf8(parsed.to_bytes()).expect("text"), note);
    let stranger = Verifier::parse(&specimen.promise.verifier.to_string()).expect("a key");
    assert_eq!(Note::parse(&note).expect("a note").verify(&stranger).err(), Some(NoteError::NotSigned));
}
