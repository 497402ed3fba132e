variable "name" {
  description = "Name of the function and beginning of the names of its parts."
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
  description = "What is called in the code, in the cloud's words; on AWS file.function, as in main.handle."
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
  description = "Memory of the function in MB; more of it brings more processor."
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
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 900."
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
  description = "Days that the function's log is kept for."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days must be one that CloudWatch offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
