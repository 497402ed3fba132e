variable "name" {
  description = "Who is greeted."
  type        = string

  validation {
    condition     = trimspace(var.name) != ""
    error_message = "name must not be empty; give it as in: name = \"world\"."
  }
}

variable "text" {
  description = "What comes before the name."
  type        = string
  default     = "Hello"
}
