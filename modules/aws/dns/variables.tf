variable "name" {
  description = "Name of the zone, such as example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$", var.name))
    error_message = "name must be a domain name in lowercase letters without a dot at its end, such as example.com."
  }
}

variable "private" {
  description = "Whether only the networks of network_ids see the zone."
  type        = bool
  default     = false
}

variable "network_ids" {
  description = "Networks that see a private zone, as network modules put them out."
  type        = list(string)
  default     = []
}

variable "records" {
  description = "Records of the zone: names within it (@ is the zone itself), types and values."
  type = list(object({
    name   = string
    type   = string
    ttl    = optional(number, 300)
    values = list(string)
  }))
  default = []

  validation {
    condition     = alltrue([for r in var.records : can(regex("^(@|(\\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*)$", r.name))])
    error_message = "records must have names within the zone, such as www or *.apps, or @ for the zone itself."
  }
  validation {
    condition     = alltrue([for r in var.records : contains(["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"], r.type)])
    error_message = "records must be of a type out of A, AAAA, CAA, CNAME, MX, NS, SRV and TXT."
  }
  validation {
    condition     = alltrue([for r in var.records : r.ttl >= 0 && r.ttl <= 2147483647 && length(r.values) > 0 && !contains(r.values, "")])
    error_message = "records must have at least one value, none of them empty, and a ttl of at least 0 seconds."
  }
  validation {
    condition     = length(distinct([for r in var.records : "${r.name} ${r.type}"])) == length(var.records)
    error_message = "records must name each name and type once; put all values into one record."
  }
}

variable "dnssec" {
  description = "Whether a public zone is signed; its registrar has to be told the key then."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
