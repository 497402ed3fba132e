stack "hello" {
  description = "A greeting on a page of this machine: the whole way, without a cloud"
}

variable "name" {
  type        = string
  default     = "world"
  description = "Who is greeted."
}

variable "dir" {
  type        = string
  default     = "/tmp/cloudops-hello"
  description = "Folder of the page."

  validation {
    condition     = startswith(var.dir, "/")
    error_message = "dir is a full path, as in /tmp/cloudops-hello."
  }
}

terraform "greeting" {
  source = "modules/local/greeting"
  inputs = { name = var.name }
}

terraform "hosts" {
  source = "modules/local/hosts"
  inputs = { names = ["web-1"] }
}

ansible "page" {
  playbook   = "./playbooks/page.yml"
  on_destroy = "./playbooks/remove.yml"

  inventory {
    group "web" {
      hosts = terraform.hosts.outputs.hosts
    }
  }

  vars = {
    message = terraform.greeting.outputs.message
    dir     = var.dir
  }
}

output "message" { value = terraform.greeting.outputs.message }

output "page" { value = "${var.dir}/index.html" }
