variable "name" {
  description = "Name of the workspace that logs go to and beginning of the names of its alerts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name must have 2 to 40 lowercase letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "retention_days" {
  description = "Days that logs are kept for."
  type        = number
  default     = 365

  validation {
    condition     = var.retention_days >= 30 && var.retention_days <= 730 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days must be a whole number from 30 to 730."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "alert_emails must be e-mail addresses, such as ops@example.com."
  }
}

variable "log_patterns" {
  description = "Alerts by name: the pattern of lines, a text that they contain, and how many of them in how many minutes raise it."
  type = map(object({
    pattern        = string
    threshold      = optional(number, 1)
    period_minutes = optional(number, 5)
  }))
  default = {}

  validation {
    condition     = alltrue([for name, p in var.log_patterns : can(regex("^[a-z][a-z0-9-]*$", name)) && p.pattern != ""])
    error_message = "log_patterns must have names of lowercase letters, digits and dashes, and a pattern each."
  }
  validation {
    condition     = alltrue([for p in var.log_patterns : p.threshold >= 1 && floor(p.threshold) == p.threshold])
    error_message = "log_patterns must have whole numbers from 1 as threshold."
  }
  validation {
    condition     = alltrue([for p in var.log_patterns : contains([5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440], p.period_minutes)])
    error_message = "log_patterns must have a period_minutes that Azure offers: 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360 or 1440."
  }
}

variable "encryption_key_id" {
  description = "Ignored here: the workspace encrypts with keys that the cloud keeps."
  type        = string
  default     = null
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
