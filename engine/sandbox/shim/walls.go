package shim

// Walls are what one child is shut in by. Paths that are missing are passed over.
type Walls struct {
	// BestEffort raises what this kernel has of the walls. Without it no child
	// starts where one of them cannot be raised.
	BestEffort bool     `json:"best_effort,omitempty"`
	Read       []string `json:"read,omitempty"`    // files and folders, with all in them
	Write      []string `json:"write,omitempty"`   // folders, and devices
	Connect    []int    `json:"connect,omitempty"` // TCP ports, at any address
	Limits     Limits   `json:"limits,omitzero"`
	User       int      `json:"user,omitempty"`       // identifier of user and group to become; 0 stays as it is
	Bubblewrap string   `json:"bubblewrap,omitempty"` // path of bwrap; "" for no namespaces
	Tmp        string   `json:"tmp,omitempty"`        // within bubblewrap, its /tmp
	Account    string   `json:"account,omitempty"`    // likewise, its /etc/passwd
}

// Limits are how much one process may use. What is 0 is not limited.
type Limits struct {
	Memory    int64 `json:"memory,omitempty"`    // bytes of data
	FileSize  int64 `json:"file_size,omitempty"` // bytes in one file
	Files     int64 `json:"files,omitempty"`     // that it has open
	Processes int64 `json:"processes,omitempty"` // and threads, of its user
}

// LandlockPart is the version of Landlock's interface before which it holds no
// files, since Terraform could not move any within such walls.
const LandlockPart = 2
