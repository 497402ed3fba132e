# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

# The provider waits for a minute before it looks at a database that it made or
# deleted. TestAWSModulesJoinedChangeNothingASecondTime takes that time.
override_resource {
  target = aws_db_instance.this
  values = { address = "payments.abc123.eu-west-1.rds.amazonaws.com" }
}

variables {
  name          = "payments"
  network_id    = "vpc-11111111"
  subnet_ids    = ["subnet-11111111", "subnet-22222222"]
  allowed_cidrs = ["10.20.128.0/20"]
}

run "network" {
  module {
    source = "./tests/network"
  }
}

run "makes_a_database_that_clients_reach" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = output.port == 5432 && output.database == "app" && output.username == "app" && output.instance_id == "payments"
    error_message = "database is ${output.username}@${output.instance_id}:${output.port}/${output.database}"
  }
  assert {
    condition     = nonsensitive(output.url) == "postgres://app:${nonsensitive(output.password)}@${output.host}:5432/app?sslmode=require"
    error_message = "url does not say what the other outputs say"
  }
  assert {
    condition     = can(regex("^[a-z0-9]{40}$", nonsensitive(output.password)))
    error_message = "password has ${nonsensitive(length(output.password))} characters, or others than letters and digits"
  }
}

run "opens_its_port_to_named_blocks_only" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = [for r in aws_vpc_security_group_ingress_rule.this : "${r.cidr_ipv4}:${r.from_port}-${r.to_port}"] == ["10.20.128.0/20:5432-5432"]
    error_message = "rules are ${jsonencode(keys(aws_vpc_security_group_ingress_rule.this))}"
  }
  assert {
    condition     = aws_db_instance.this.vpc_security_group_ids == toset([aws_security_group.this.id]) && length(aws_security_group.this.egress) == 0
    error_message = "groups are ${jsonencode(aws_db_instance.this.vpc_security_group_ids)}"
  }
}

run "forces_tls_and_keeps_its_log_for_a_year" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = [for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"] == ["rds.force_ssl=1"]
    error_message = "settings are ${jsonencode(aws_db_parameter_group.this.parameter)}"
  }
  assert {
    condition     = { for name, g in aws_cloudwatch_log_group.this : name => g.retention_in_days } == { postgresql = 365, upgrade = 365 }
    error_message = "logs are ${jsonencode(keys(aws_cloudwatch_log_group.this))}"
  }
}

run "keeps_the_password_it_made_up" {
  variables {
    network_id = run.network.network_id
    subnet_ids = run.network.subnet_ids
  }

  assert {
    condition     = nonsensitive(output.password == run.makes_a_database_that_clients_reach.password)
    error_message = "the password was replaced"
  }
}
