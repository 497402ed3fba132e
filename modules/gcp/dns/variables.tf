variable "name" {
  description = "Name of the zone, such as example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.name))
    error_message = "name must be a domain in lowercase letters without a dot at its end, such as example.com."
  }
}

variable "private" {
  description = "Whether only the networks of network_ids can ask the zone."
  type        = bool
  default     = false
}

variable "network_ids" {
  description = "Networks that can ask a private zone."
  type        = list(string)
  default     = []
}

variable "records" {
  description = "Records by their name below the zone (\"\" for the zone itself), type and values as a zone file writes them."
  type = list(object({
    name   = string
    type   = string
    ttl    = optional(number, 300)
    values = list(string)
  }))
  default = []

  validation {
    condition     = alltrue([for r in var.records : contains(["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"], r.type)])
    error_message = "Each type of records must be A, AAAA, CAA, CNAME, MX, NS, PTR, SRV or TXT."
  }
  validation {
    condition     = alltrue([for r in var.records : length(r.values) > 0])
    error_message = "Each of records must have at least one value."
  }
  validation {
    condition     = length(var.records) == length(distinct([for r in var.records : "${r.name} ${r.type}"]))
    error_message = "Each name and type of records may be there once, with all its values."
  }
}

variable "dnssec" {
  description = "Whether the zone is signed, which only a public one can be; the registrar must be told its key."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Labels of everything that can have them; what a label cannot hold becomes a dash."
  type        = map(string)
  default     = {}
}
