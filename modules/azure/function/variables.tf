variable "name" {
  description = "Name of the function app, which has a few letters added that make it the only one in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "runtime" {
  description = "What runs the code: python3.12 or nodejs22."
  type        = string

  validation {
    condition     = contains(["python3.12", "nodejs22"], var.runtime)
    error_message = "runtime must be python3.12 or nodejs22."
  }
}

variable "handler" {
  description = "Ignored here: the code itself says what is called."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]+\\.[A-Za-z0-9_.]+$", var.handler))
    error_message = "handler must be a file and a function in it, such as main.handle."
  }
}

variable "source_zip" {
  description = "Path of a zip file with the code."
  type        = string

  validation {
    condition     = endswith(var.source_zip, ".zip") && fileexists(var.source_zip)
    error_message = "source_zip must be the path of a .zip file that is there."
  }
}

variable "memory_mb" {
  description = "Ignored here: a function has up to 1536 MB."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which a call is given up."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 600 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 600."
  }
}

variable "environment" {
  description = "Environment variables of the code; secrets belong in a secret that its role may read."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]*$", name))])
    error_message = "environment must have names of letters, digits and underscores that begin with a letter."
  }
}

variable "public" {
  description = "Whether everyone can call the function at an address of its own."
  type        = bool
  default     = false
}

variable "log_days" {
  description = "Days that the function's log is kept for; 30 at least."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 730 && floor(var.log_days) == var.log_days
    error_message = "log_days must be a whole number from 1 to 730."
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
