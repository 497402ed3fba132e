variable "name" {
  description = "Name of the network and beginning of the names of its parts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "cidr" {
  description = "IPv4 address block of the network."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(cidrhost(var.cidr, 0) == split("/", var.cidr)[0], false)
    error_message = "cidr must be an IPv4 block whose address is its first one, such as 10.20.0.0/16."
  }
  validation {
    condition     = try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24, false)
    error_message = "cidr must be between /16 and /24: larger is not allowed, smaller leaves no room for subnets."
  }
}

variable "zones" {
  description = "Number of availability zones to spread over; subnets reach over all of them."
  type        = number
  default     = 2

  validation {
    condition     = var.zones >= 1 && var.zones <= 6 && floor(var.zones) == var.zones
    error_message = "zones must be a whole number from 1 to 6."
  }
}

variable "public_subnets" {
  description = "Address blocks of subnets for what the internet can reach; null for one a zone, [] for none."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for c in coalesce(var.public_subnets, []) : can(cidrnetmask(c))])
    error_message = "public_subnets must be IPv4 blocks, such as 10.20.0.0/20."
  }
}

variable "private_subnets" {
  description = "Address blocks of subnets for what the internet cannot reach; null for one a zone, [] for none."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for c in coalesce(var.private_subnets, []) : can(cidrnetmask(c))])
    error_message = "private_subnets must be IPv4 blocks, such as 10.20.128.0/20."
  }
}

variable "private_egress" {
  description = "Whether private subnets can reach the internet, through one gateway that costs by the hour."
  type        = bool
  default     = false
}

variable "ingress" {
  description = "What may come in from outside: ports and the address blocks they are open to."
  type = list(object({
    port        = number
    protocol    = optional(string, "tcp")
    cidrs       = list(string)
    description = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for r in var.ingress : r.port >= 1 && r.port <= 65535])
    error_message = "Each port of ingress must be from 1 to 65535."
  }
  validation {
    condition     = alltrue([for r in var.ingress : contains(["tcp", "udp"], r.protocol)])
    error_message = "Each protocol of ingress must be \"tcp\" or \"udp\"."
  }
  validation {
    condition     = alltrue(flatten([for r in var.ingress : [for c in r.cidrs : can(cidrnetmask(c))]]))
    error_message = "Each of the cidrs of ingress must be an IPv4 block, such as 192.0.2.0/24."
  }
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
