package ansible

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cloudops-manager/cloudops/engine"
)

// frozen is a play as it was approved. It holds no value of a variable, and
// the digests are keyed with a nonce that stays beside them: who sees only the
// artifact's hash cannot guess a short secret from it.
type frozen struct {
	Playbook  string      `json:"playbook"`
	Sources   string      `json:"sources"` // digest of the revision's bundle
	Content   string      `json:"content"` // digest of the playbook's folder
	Groups    []frozenSet `json:"groups"`  // for reading
	Inventory string      `json:"inventory"`
	Vars      string      `json:"vars"`
	Nonce     string      `json:"nonce"`
}

type frozenSet struct {
	Group string       `json:"group"`
	Hosts []frozenHost `json:"hosts"`
}

type frozenHost struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Resource string `json:"resource,omitempty"`
}

// freeze returns the artifact that binds an approval to the play, and its hash.
func freeze(job *engine.Job, content string) (artifact []byte, hash string, err error) {
	f, err := frozenPlay(job, content, rand.Text())
	if err != nil {
		return nil, "", err
	}
	artifact, err = json.Marshal(f)
	return artifact, digest(artifact), err
}

// thaw makes sure that the play of job is still the frozen one.
func thaw(job *engine.Job, content string, artifact []byte) error {
	var was frozen
	if digest(artifact) != job.PlanHash || json.Unmarshal(artifact, &was) != nil {
		return engine.Conflict("the play that arrived is not the one that was approved")
	}
	now, err := frozenPlay(job, content, was.Nonce)
	if err != nil {
		return err
	}
	for what, same := range map[string]bool{
		"playbook":  now.Playbook == was.Playbook && now.Sources == was.Sources && now.Content == was.Content,
		"inventory": now.Inventory == was.Inventory,
		"variables": now.Vars == was.Vars,
	} {
		if !same {
			return engine.Conflict("the %s of %s changed since the plan was approved; start a new run", what, job.Component)
		}
	}
	return nil
}

func frozenPlay(job *engine.Job, content, nonce string) (frozen, error) {
	a := job.Ansible
	inventory, err := keyed(nonce, a.Inventory)
	if err != nil {
		return frozen{}, fmt.Errorf("inventory: %w", err)
	}
	vars, err := keyed(nonce, a.Vars)
	if err != nil {
		return frozen{}, fmt.Errorf("variables: %w", err)
	}
	f := frozen{Playbook: a.Playbook, Sources: job.Sources, Content: content, Inventory: inventory, Vars: vars, Nonce: nonce}
	for _, g := range a.Inventory.Groups {
		set := frozenSet{Group: g.Name}
		for _, h := range g.Hosts {
			set.Hosts = append(set.Hosts, frozenHost{h.Name, h.Address, h.Resource})
		}
		f.Groups = append(f.Groups, set)
	}
	return f, nil
}

// keyed returns the HMAC-SHA256 of v's JSON, whose maps are in order.
func keyed(nonce string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(nonce))
	mac.Write(b)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// hidden is a digest of the variables that the differences of a play do not show.
func hidden(a *engine.AnsibleJob) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(slices.Values(a.Sensitive)) {
		fmt.Fprintf(sum, "%q %q\n", name, a.Vars[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// contentDigest returns the SHA-256 over the names, the executable bits and
// the contents of all files below fsys.
func contentDigest(fsys fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(fsys, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return addFile(sum, fsys, path, e)
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func addFile(sum io.Writer, fsys fs.FS, path string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return engine.Invalid("%s is not a plain file", path)
	}
	b, err := fs.ReadFile(fsys, path)
	fmt.Fprintf(sum, "%q %t %s\n", path, info.Mode()&0o100 != 0, digest(b))
	return err
}
