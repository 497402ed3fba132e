package blueprint

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"

	"github.com/zclconf/go-cty/cty/function"
)

// digestFunctions are for names and comparisons; md5 and sha1 protect nothing.
func digestFunctions() map[string]function.Function {
	return map[string]function.Function{
		"md5": digestFunc(md5.New, hex.EncodeToString), "sha1": digestFunc(sha1.New, hex.EncodeToString),
		"sha256": digestFunc(sha256.New, hex.EncodeToString), "sha512": digestFunc(sha512.New, hex.EncodeToString),
		"base64sha256": digestFunc(sha256.New, base64.StdEncoding.EncodeToString),
		"base64sha512": digestFunc(sha512.New, base64.StdEncoding.EncodeToString),
	}
}

func digestFunc(make func() hash.Hash, encode func([]byte) string) function.Function {
	return textFunc(func(s string) (string, error) { return digest(make, encode, []byte(s)), nil })
}

func digest(make func() hash.Hash, encode func([]byte) string, data []byte) string {
	h := make()
	h.Write(data)
	return encode(h.Sum(nil))
}
