stack "app" {
  description = "A machine in the network of another stack"
  labels      = { team = "app" }
}

# A change of what is read here starts a run of this stack.
upstream "network" {
  stack   = "shared-network"
  trigger = true
}

cloud "aws" "main" {
  region      = "eu-west-1"
  credentials = "aws-demo"
}

terraform "machine" {
  cloud  = cloud.aws.main
  source = "modules/aws/compute"
  inputs = {
    name               = "app"
    image              = "amazon-linux-2023"
    subnet_ids         = upstream.network.outputs.private_subnet_ids
    security_group_ids = [upstream.network.outputs.security_group_id]
  }
}

output "hosts" { value = terraform.machine.outputs.hosts }
