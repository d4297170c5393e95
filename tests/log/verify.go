// Verifies a copy of a log, in a directory or at an address, with code that shares nothing with Sealbid: notes and the tree are
// golang.org/x/mod/sumdb's, cosignatures are checked by hand. What it checks is in docs/log-format.md.
//
//	verify -log VKEY [-witness VKEY]... [-receipt FILE]... DIR|URL
//
// Ends with 0 when everything holds and with 1 when something does not.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

var root string

func read(path string) ([]byte, error) {
	if !strings.HasPrefix(root, "http://") && !strings.HasPrefix(root, "https://") {
		return os.ReadFile(filepath.Join(root, path))
	}
	answer, err := http.Get(strings.TrimRight(root, "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// tilePath is the path of tlog-tiles, which differs from sumdb's.
func tilePath(level string, n, width int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + path
}

func part(letter string, salt, text []byte) [32]byte {
	return sha256.Sum256(bytes.Join([][]byte{[]byte("sealbid/audit/part/v1/" + letter + "\n"), salt, text}, nil))
}

// head opens a checkpoint: one signature of the log, and one of each witness.
func head(text []byte, log note.Verifier, witnesses []string) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(text, note.VerifierList(log))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != log.Name() {
		return tree, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tree, errors.New("the size is no number")
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tree, err
	}
	for _, witness := range witnesses {
		if err := cosigned(opened, witness); err != nil {
			return tree, fmt.Errorf("%s: %w", witness, err)
		}
	}
	return tlog.Tree{N: size, Hash: hash}, nil
}

// cosigned checks one witness's line (tlog-cosignature, type 0x04).
func cosigned(opened *note.Note, vkey string) error {
	fields := strings.SplitN(vkey, "+", 3)
	if len(fields) != 3 {
		return errors.New("not a verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return errors.New("not the key of a witness")
	}
	id := sha256.Sum256(append([]byte(fields[0]+"\n"), key...))
	for _, line := range opened.UnverifiedSigs {
		signature, err := base64.StdEncoding.DecodeString(line.Base64)
		if err != nil || line.Name != fields[0] || len(signature) != 76 || !bytes.Equal(signature[:4], id[:4]) {
			continue
		}
		at := binary.BigEndian.Uint64(signature[4:12])
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, opened.Text)
		if ed25519.Verify(key[1:], []byte(message), signature[12:]) {
			return nil
		}
		return errors.New("the cosignature does not fit")
	}
	return errors.New("did not cosign")
}

// tiles recomputes the whole tree from the entries, and compares every tile on the way.
func tiles(tree tlog.Tree) error {
	var level []tlog.Hash
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		path := tilePath("entries", n, width)
		bundle, err := read(path)
		if err != nil {
			return err
		}
		if int64(len(bundle)) != width*35 {
			return fmt.Errorf("%s: %d bytes", path, len(bundle))
		}
		for ; len(bundle) > 0; bundle = bundle[35:] {
			if bundle[0] != 0 || bundle[1] != 33 || bundle[2] != 1 {
				return fmt.Errorf("%s: not an entry of version 1", path)
			}
			level = append(level, tlog.RecordHash(bundle[2:35]))
		}
	}
	leaves := level
	for l := 0; len(level) > 0; l++ {
		var above []tlog.Hash
		for n := 0; n*256 < len(level); n++ {
			hashes := level[n*256:]
			if len(hashes) > 256 {
				hashes = hashes[:256]
			}
			path := tilePath(strconv.Itoa(l), int64(n), int64(len(hashes)))
			tile, err := read(path)
			if err != nil {
				return err
			}
			var expected []byte
			for _, hash := range hashes {
				expected = append(expected, hash[:]...)
			}
			if !bytes.Equal(tile, expected) {
				return fmt.Errorf("%s: does not hold the hashes of what is below it", path)
			}
			if len(hashes) == 256 {
				above = append(above, subtree(hashes))
			}
		}
		level = above
	}
	if top := subtree(leaves); top != tree.Hash {
		return errors.New("the entries lead to another root than the checkpoint's")
	}
	return nil
}

// subtree is the definition of RFC 6962 section 2.1.
func subtree(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(subtree(leaves[:k]), subtree(leaves[k:]))
}

// receipt checks a tlog-proof whose extra data open an entry.
func receipt(text string, log note.Verifier, witnesses []string) error {
	before, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(before, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof of version 1")
	}
	tree, err := head([]byte(checkpoint), log, witnesses)
	if err != nil {
		return err
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var opening struct {
		V     int    `json:"v"`
		SaltP string `json:"s_p"`
		PartP string `json:"p"`
		C     string `json:"h_c"`
		I     string `json:"h_i"`
	}
	if err := json.Unmarshal(extra, &opening); err != nil || opening.V != 1 {
		return errors.New("the extra data are not those of a receipt of version 1")
	}
	salt, err1 := base64.RawURLEncoding.DecodeString(opening.SaltP)
	p, err2 := base64.RawURLEncoding.DecodeString(opening.PartP)
	c, err3 := hexDigest(opening.C)
	i, err4 := hexDigest(opening.I)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return err
		}
	}
	hp := part("p", salt, p)
	commitment := sha256.Sum256(bytes.Join([][]byte{[]byte("sealbid/audit/leaf/v1\n"), hp[:], c, i}, nil))
	leaf := tlog.RecordHash(append([]byte{1}, commitment[:]...))
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
}

func hexDigest(text string) ([]byte, error) {
	var digest []byte
	if _, err := fmt.Sscanf(text, "%x", &digest); err != nil || len(digest) != 32 {
		return nil, errors.New("not a digest")
	}
	return digest, nil
}

func run() error {
	var witnesses, receipts list
	key := flag.String("log", "", "verifier key of the log")
	flag.Var(&witnesses, "witness", "verifier key of a witness that must have cosigned")
	flag.Var(&receipts, "receipt", "a receipt")
	flag.Parse()
	root = flag.Arg(0)
	log, err := note.NewVerifier(*key)
	if err != nil {
		return err
	}
	text, err := read("checkpoint")
	if err != nil {
		return err
	}
	tree, err := head(text, log, witnesses)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := tiles(tree); err != nil {
		return err
	}
	for _, file := range receipts {
		text, err := os.ReadFile(file)
		if err == nil {
			err = receipt(string(text), log, witnesses)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("holds: %d leaves, %d witnesses, %d receipts\n", tree.N, len(witnesses), len(receipts))
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "does not hold:", err)
		os.Exit(1)
	}
}
