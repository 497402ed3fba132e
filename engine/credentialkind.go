package engine

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// CredentialKind says how a credential authenticates.
type CredentialKind string

// The kinds of credential. Those of workload identity hold no secret: each phase
// of a step gets a token of its own, which the cloud takes for a short-lived key.
const (
	CredentialEnvironment         CredentialKind = "environment" // any environment variables
	CredentialAWSStatic           CredentialKind = "aws-static"
	CredentialAWSAssumeRole       CredentialKind = "aws-assume-role"
	CredentialAWSWebIdentity      CredentialKind = "aws-web-identity"
	CredentialAzureServicePrin    CredentialKind = "azure-service-principal"
	CredentialAzureFederated      CredentialKind = "azure-federated"
	CredentialGCPKey              CredentialKind = "gcp-service-account-key" // #nosec G101 -- a name
	CredentialGCPWorkloadIdentity CredentialKind = "gcp-workload-identity"   // #nosec G101 -- a name
)

// CredentialKinds lists the kinds.
func CredentialKinds() []CredentialKind {
	return []CredentialKind{CredentialEnvironment, CredentialAWSStatic, CredentialAWSAssumeRole, CredentialAWSWebIdentity,
		CredentialAzureServicePrin, CredentialAzureFederated, CredentialGCPKey, CredentialGCPWorkloadIdentity}
}

// Known reports whether k is a kind at all.
func (k CredentialKind) Known() bool { return slices.Contains(CredentialKinds(), k) }

// Cloud is the cloud that the kind is for; "" for any.
func (k CredentialKind) Cloud() Cloud {
	for _, c := range Clouds() {
		if strings.HasPrefix(string(k), string(c)+"-") {
			return c
		}
	}
	return ""
}

// Federated reports whether the kind rests on tokens of workload identity.
func (k CredentialKind) Federated() bool {
	return k == CredentialAWSWebIdentity || k == CredentialAzureFederated || k == CredentialGCPWorkloadIdentity
}

// CredentialField is one thing that credentials of a kind have.
type CredentialField struct {
	Name     string // "role_arn"
	About    string
	Secret   bool // write-only
	Required bool
	Split    bool // may be another one for plans
	Default  string

	lines bool                // may have several lines
	check func(string) string // what it has to look like instead; "" where it does
}

// Fields are what credentials of the kind have; none for environment, which
// takes any variables.
func (k CredentialKind) Fields() []CredentialField { return credentialFields()[k] }

// field finds a field of the kind.
func (k CredentialKind) field(name string) (CredentialField, bool) {
	fields := k.Fields()
	i := slices.IndexFunc(fields, func(f CredentialField) bool { return f.Name == name })
	if i < 0 {
		return CredentialField{}, false
	}
	return fields[i], true
}

// The subjects that a token may have; see subject.
const (
	SubjectComponent = "component"
	SubjectStack     = "stack"
	SubjectProject   = "project"
)

// credentialFields is the table of all kinds.
var credentialFields = sync.OnceValue(func() map[CredentialKind][]CredentialField {
	role := CredentialField{Name: "role_arn", About: "role to take on", Required: true, Split: true,
		check: like(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`, "arn:aws:iam::123456789012:role/plan")}
	session := CredentialField{Name: "session_name", About: "name of the session in CloudTrail (default the run and the phase)",
		check: like(`^[\w+=,.@-]{2,64}$`, "2 to 64 letters, digits and _+=,.@-")}
	region := CredentialField{Name: "region", About: "region where a cloud block names none"}
	tenant := CredentialField{Name: "tenant_id", About: "tenant of Microsoft Entra", Required: true,
		check: like(`^[0-9A-Za-z.-]+$`, "an identifier or a domain")}
	client := CredentialField{Name: "client_id", About: "application that it signs in as", Required: true, Split: true, check: uuid()}
	subscription := CredentialField{Name: "subscription_id", About: "subscription", Required: true, check: uuid()}
	project := CredentialField{Name: "project_id", About: "project where a cloud block names none"}
	subject := CredentialField{Name: "subject", About: "what the token's subject ends with: component, stack or project", Default: SubjectComponent,
		check: like(`^(component|stack|project)$`, "component, stack or project")}
	perStack := subject
	perStack.Default = SubjectStack
	audience := func(by string, required bool, check func(string) string) CredentialField {
		return CredentialField{Name: "audience", About: "who the token is for", Default: by, Required: required, check: check}
	}
	return map[CredentialKind][]CredentialField{
		CredentialAWSStatic: {
			{Name: "access_key_id", About: "identifier of the access key", Required: true, Split: true, check: like(`^\w{4,128}$`, "AKIA and more letters and digits")},
			{Name: "secret_access_key", Secret: true, Required: true, Split: true},
			{Name: "session_token", Secret: true, Split: true},
			region,
		},
		CredentialAWSAssumeRole: {
			role,
			{Name: "source", About: "stored credential that takes the role on: aws-static or aws-web-identity", Required: true, Split: true},
			{Name: "external_id", About: "external identifier that the role asks for", Split: true, check: like(`^[\w+=,.@:/-]{2,1000}$`, "2 to 1000 letters, digits and _+=,.@:/-")},
			session,
			{Name: "duration", About: "how long a session is good for", Default: "1h", check: between(15*time.Minute, 12*time.Hour)},
			region,
		},
		CredentialAWSWebIdentity: {role, audience("sts.amazonaws.com", false, nil), subject, session, region},
		CredentialAzureServicePrin: {
			tenant, client, subscription,
			{Name: "client_secret", Secret: true, Split: true},
			{Name: "client_certificate", Secret: true, Split: true, lines: true, check: isBase64},
			{Name: "client_certificate_password", Secret: true, Split: true},
		},
		CredentialAzureFederated: {tenant, client, subscription, audience("api://AzureADTokenExchange", false, nil), perStack},
		CredentialGCPKey:         {{Name: "service_account_key", Secret: true, Required: true, Split: true, lines: true, check: isKeyFile}, project, region},
		CredentialGCPWorkloadIdentity: {
			audience("", true, like(`^//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]+/providers/[a-z0-9-]+$`,
				"//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER")),
			{Name: "service_account", About: "service account to impersonate; without one the token itself has the rights", Split: true,
				check: like(`^[^@\s/]+@[^@\s/]+$`, "NAME@PROJECT.iam.gserviceaccount.com")},
			subject, project, region,
		},
	}
})

// like checks a value against a pattern.
func like(pattern, example string) func(string) string {
	rule := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) }) // few commands need any
	return func(v string) string {
		if rule().MatchString(v) {
			return ""
		}
		return example
	}
}

func uuid() func(string) string {
	return like(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`, "00000000-0000-0000-0000-000000000000")
}

func between(least, most time.Duration) func(string) string {
	return func(v string) string {
		if d, err := time.ParseDuration(v); err == nil && least <= d && d <= most {
			return ""
		}
		return "from " + least.String() + " to " + most.String()
	}
}

func isBase64(v string) string {
	if b, err := base64.StdEncoding.DecodeString(v); err == nil && len(b) > 0 {
		return ""
	}
	return "a PKCS#12 file in base64"
}

// keyFile is what matters of a Google service account's key.
type keyFile struct {
	Type       string `json:"type"`
	Email      string `json:"client_email"`
	PrivateKey string `json:"private_key"`
}

func isKeyFile(v string) string {
	var k keyFile
	if err := json.Unmarshal([]byte(v), &k); err == nil && k.Type == "service_account" && k.Email != "" && k.PrivateKey != "" {
		return ""
	}
	return "the JSON key file of a service account"
}
