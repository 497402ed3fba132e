# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name           = "web"
  instance_count = 2
  image          = "amazon-linux-2023"
  subnet_ids     = ["subnet-11111111"]
}

run "network" {
  module {
    source = "./tests/network"
  }
}

run "makes_hosts_for_an_inventory" {
  variables {
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = [for h in output.hosts : h.name] == ["web-1", "web-2"]
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = output.hosts[1].resource == "aws_instance.this[1]" && output.hosts[1].user == "ec2-user"
    error_message = "host is ${jsonencode(output.hosts[1])}"
  }
  assert {
    condition     = [for h in output.hosts : h.address] == output.private_ips && length(output.public_ips) == 0
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
  assert {
    condition     = aws_instance.this[0].subnet_id != aws_instance.this[1].subnet_id
    error_message = "both machines are in ${aws_instance.this[0].subnet_id}"
  }
  assert {
    condition     = alltrue([for m in aws_instance.this : one(m.metadata_options).http_tokens == "required"])
    error_message = "metadata can be read without a token"
  }
  assert {
    condition     = alltrue([for m in aws_instance.this : one(m.root_block_device).encrypted])
    error_message = "a disk is not encrypted"
  }
}

run "grows_by_a_machine_that_may_be_logged_in_to" {
  command = plan

  variables {
    subnet_ids     = run.network.subnet_ids
    instance_count = 3
    user           = "ops"
    ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBcOjkTh5IJNEGsHEa3rLzC0KdPzzGkaVjVnYlLHsZ4y ada@example.com"
  }

  assert {
    condition     = length(output.hosts) == 3 && output.hosts[2].user == "ops"
    error_message = "hosts are ${jsonencode(output.hosts)}"
  }
}
