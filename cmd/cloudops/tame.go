package main

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// tame writes text from elsewhere to a terminal: what a module, a host or a
// person wrote may have colours, and nothing else that a terminal obeys. Source of
// the sequences: ECMA-48, sections 5.4 and 8.3.
type tame struct {
	to    io.Writer
	begun []byte // of a sequence or character that is not whole yet
}

// tamed is w without what a terminal would obey, where it is one.
func tamed(w io.Writer) io.Writer {
	if terminal(w) {
		return &tame{to: w}
	}
	return w
}

// maxSequence is how long a sequence is waited for before it is let go.
const maxSequence = 64

// Write implements io.Writer.
func (t *tame) Write(p []byte) (int, error) {
	text := append(t.begun, p...)
	var out bytes.Buffer
	for len(text) > 0 {
		n, shown, whole := next(text)
		if !whole && len(text) <= maxSequence {
			break
		}
		if shown {
			out.Write(text[:n])
		}
		text = text[n:]
	}
	t.begun = bytes.Clone(text)
	_, err := t.to.Write(out.Bytes())
	return len(p), err
}

// next tells how long the first character or sequence is, whether it is shown,
// and whether all of it is there.
func next(text []byte) (n int, shown, whole bool) {
	if text[0] == 0x1b {
		return sequence(text)
	}
	r, n := utf8.DecodeRune(text)
	if r == utf8.RuneError && n == 1 {
		return 1, false, utf8.FullRune(text)
	}
	control := r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
	turns := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 // the direction of what comes behind
	return n, !control && !turns, true
}

// sequence reads one that begins with an escape: a colour ends in m. Of others
// the escape goes, and what is left of them is harmless text.
func sequence(text []byte) (n int, shown, whole bool) {
	if len(text) == 1 {
		return 1, false, false
	}
	if text[1] != '[' {
		return 1, false, true
	}
	for i, b := range text[2:] {
		switch {
		case i >= maxSequence:
			return 1, false, true
		case b == 'm':
			return i + 3, true, true
		case b != ';' && b != ':' && (b < '0' || b > '9'):
			return 1, false, true
		}
	}
	return 1, false, false
}
