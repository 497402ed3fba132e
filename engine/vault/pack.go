package vault

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// The first byte of a plain text says how the rest is kept.
const (
	plainAsIs     = 0
	plainDeflated = 1
)

// deflateFrom is the size, in bytes, from which a value is compressed.
const deflateFrom = 1 << 10

// maxPlain bounds a value, in bytes, and what it may grow to when it is opened.
const maxPlain = 1 << 30

func pack(plain []byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("a value of %d bytes is too large to be kept", len(plain))
	}
	if len(plain) < deflateFrom {
		return append([]byte{plainAsIs}, plain...), nil
	}
	b := bytes.NewBuffer([]byte{plainDeflated})
	w := deflaters.Get().(*flate.Writer)
	defer func() { w.Reset(nil); deflaters.Put(w) }()
	w.Reset(b)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// deflaters keeps what compresses for another value: each takes 1.2 MB, which was
// half of all memory that a run had the server allocate.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a good one
	}
	return w
}}

func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errors.New("sealed value is empty")
	}
	switch packed[0] {
	case plainAsIs:
		return packed[1:], nil
	case plainDeflated:
		plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed[1:])), maxPlain+1))
		if err == nil && len(plain) > maxPlain {
			err = errors.New("sealed value is too large")
		}
		return plain, err
	}
	return nil, fmt.Errorf("sealed value has the unknown form %d", packed[0])
}
