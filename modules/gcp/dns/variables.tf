variable "name" {
  description = "Name of the zone, such as example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.name))
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
  description = "Records by their name in the zone (@ is the zone itself) and type. Values are as in a zone file, but text has no quotes and any length, and names that they point to are full ones, with or without a dot at the end."
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
    condition     = alltrue([for r in var.records : contains(["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"], r.type)])
    error_message = "records must be of a type out of A, AAAA, CAA, CNAME, MX, NS, PTR, SRV and TXT."
  }
  validation {
    condition     = alltrue([for r in var.records : r.ttl >= 0 && r.ttl <= 2147483647 && length(r.values) > 0 && (r.type != "CNAME" || length(r.values) == 1)])
    error_message = "records must have at least one value, those of type CNAME one only, and a ttl of at least 0 seconds."
  }
  validation {
    condition     = alltrue(flatten([for r in var.records : [for v in r.values : can(regex(lookup({ CAA = "^[0-9]+ [a-z0-9]+ \"[^\"]+\"$", MX = "^[0-9]+ \\S+$", SRV = "^([0-9]+ ){3}\\S+$", TXT = "^[^\"]+$" }, r.type, "^\\S+$"), v))]]))
    error_message = "records must have values such as 0 issue \"letsencrypt.org\" (CAA), 10 mail.example.com. (MX), 10 5 5060 sip.example.com. (SRV), text without quotes (TXT) or one word (other types)."
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
  description = "Labels of everything that can have them; what a label cannot hold becomes a dash."
  type        = map(string)
  default     = {}
}
