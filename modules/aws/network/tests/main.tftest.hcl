# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name = "payments"
  cidr = "10.20.0.0/16"
}

run "spreads_subnets_over_two_zones" {
  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2
    error_message = "subnets are ${jsonencode([output.public_subnet_ids, output.private_subnet_ids])}"
  }
  assert {
    condition     = aws_subnet.public[0].availability_zone != aws_subnet.public[1].availability_zone
    error_message = "both public subnets are in ${aws_subnet.public[0].availability_zone}"
  }
  assert {
    condition     = aws_subnet.private[0].cidr_block == "10.20.128.0/20"
    error_message = "the first private subnet is ${aws_subnet.private[0].cidr_block}"
  }
}

run "lets_nothing_in_unasked" {
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 0
    error_message = "rules are ${jsonencode(keys(aws_vpc_security_group_ingress_rule.this))}"
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0
    error_message = "the default security group lets something in"
  }
}

run "opens_a_port_to_each_block_named" {
  command = plan

  variables {
    ingress = [{ port = 443, cidrs = ["0.0.0.0/0"] }, { port = 22, cidrs = ["192.0.2.0/24", "198.51.100.0/24"] }]
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.this) == ["tcp-22-192.0.2.0/24", "tcp-22-198.51.100.0/24", "tcp-443-0.0.0.0/0"]
    error_message = "rules are ${jsonencode(keys(aws_vpc_security_group_ingress_rule.this))}"
  }
}

run "has_no_internet_gateway_without_public_subnets" {
  command = plan

  variables {
    public_subnets  = []
    private_subnets = ["10.20.0.0/24"]
  }

  assert {
    condition     = length(aws_internet_gateway.this) == 0 && length(aws_subnet.private) == 1
    error_message = "there is a gateway, or not one private subnet"
  }
}

run "sends_private_subnets_through_one_gateway" {
  command = plan

  variables {
    private_egress = true
  }

  assert {
    condition     = length(aws_nat_gateway.egress) == 1 && length(aws_route_table_association.private) == 2
    error_message = "private subnets have no way out"
  }
}
