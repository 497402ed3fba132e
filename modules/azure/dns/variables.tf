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
  description = "Ignored here: the provider cannot sign a zone."
  type        = bool
  default     = false
}

variable "resource_group_name" {
  description = "Resource group that everything is put in; null for one of its own, named after name."
  type        = string
  default     = null
}

variable "location" {
  description = "Where everything is, such as westeurope; null for where the resource group is, which must be given then."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
