//! What is wrong in an operator's catalog file is refused, with the line and the reason.

use rampart_core::catalog::Catalog;

const FILE: &str = r#"{
  "resourceTypes": [
    {
      "resourceType": "acme:Cluster",
      "serviceName": "acme",
      "resourceRegionScope": "REGIONAL",
      "arnPattern": "arn:aws:acme:[a-z0-9-]+:[0-9]{12}:cluster/[a-z]+",
      "exampleArn": "arn:aws:acme:eu-west-1:123456789012:cluster/blue",
      "canShareExternally": true,
      "supportsCustomerManagedPermissions": true,
      "customerManagedPermissionActions": [
        "acme:Connect",
        "acme:Describe"
      ],
      "invitationExpiryHours": 12
    },
    {
      "resourceType": "acme:Pool",
      "serviceName": "acme",
      "resourceRegionScope": "REGIONAL",
      "arnPattern": "arn:aws:acme:[a-z0-9-]+:[0-9]{12}:pool/[a-z]+",
      "exampleArn": "arn:aws:acme:eu-west-1:123456789012:pool/blue",
      "canShareExternally": true,
      "invitationExpiryHours": 12
    }
  ],
  "permissions": [
    {
      "name": "AcmeClusterUse",
      "resourceType": "acme:Cluster",
      "isResourceTypeDefault": true,
      "defaultVersion": "2",
      "versions": [
        {
          "version": "1",
          "actions": ["acme:Connect"]
        },
        {
          "version": "2",
          "isDefault": true,
          "actions": ["acme:Connect", "acme:Describe"],
          "statements": [
            {
              "effect": "Allow",
              "actions": ["acme:Connect"],
              "condition": {
                "StringEquals": {"acme:Tier": "1"}
              }
            },
            {
              "effect": "Allow",
              "actions": ["acme:Describe"]
            }
          ]
        }
      ]
    }
  ]
}"#;

/// What is said of the file when one of its texts is another.
fn refused(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    match Catalog::with_file(&FILE.replacen(from, to, 1)) {
        Ok(_) => panic!("{from} may be {to}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_file_itself_is_good() {
    assert!(Catalog::with_file(FILE).is_ok());
}

#[test]
fn an_empty_list_or_a_repeated_item_is_refused_where_it_stands() {
    for (from, to, said) in [
        (
            r#""actions": ["acme:Connect"]
        },"#,
            r#""actions": []
        },"#,
            "line 36, column 22: the list is empty",
        ),
        (
            r#""actions": ["acme:Connect", "acme:Describe"]"#,
            r#""actions": []"#,
            "line 41, column 22: the list is empty",
        ),
        (
            r#""actions": ["acme:Connect", "acme:Describe"]"#,
            r#""actionsInferred": []"#,
            "line 41, column 30: the list is empty",
        ),
        (r#""actions": ["acme:Describe"]"#, r#""actions": []"#, "line 52, column 26: the list is empty"),
        (
            r#""actions": ["acme:Connect"]
        },"#,
            r#""statements": []
        },"#,
            "line 36, column 25: the list is empty",
        ),
        (
            r#"["acme:Connect", "acme:Describe"]"#,
            r#"["acme:Connect", "acme:Describe", "acme:CONNECT"]"#,
            "line 41, column 56: `acme:CONNECT` is there twice",
        ),
        (
            r#"["acme:Describe"]"#,
            r#"["acme:Describe", "acme:Describe"]"#,
            "line 52, column 44: `acme:Describe` is there twice",
        ),
        (
            "\"acme:Connect\",\n        \"acme:Describe\"",
            "\"acme:Connect\",\n        \"acme:connect\"",
            "line 13, column 9: `acme:connect` is there twice",
        ),
        (
            "[\n        \"acme:Connect\",\n        \"acme:Describe\"\n      ]",
            "[]",
            "line 11, column 43: the list is empty",
        ),
    ] {
        assert_eq!(refused(from, to), said, "{to}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (from, to, said) in [
        (r#""isDefault": true"#, r#""isDefault": false"#, "line 40, column 24: the default version is 2"),
        (
            r#""version": "1","#,
            r#""version": "1", "isDefault": true,"#,
            "line 35, column 40: the default version is 2",
        ),
        (
            r#"["acme:Connect", "acme:Describe"]"#,
            r#"["acme:Connect", "acme:Drop"]"#,
            "line 41, column 22: beside statements, actions are those of all statements",
        ),
        (
            r#""supportsCustomerManagedPermissions": true"#,
            r#""supportsCustomerManagedPermissions": false"#,
            "line 11, column 43: the type does not say supportsCustomerManagedPermissions, which these actions are for",
        ),
        (
            "\"acme:Describe\"\n",
            "\"Describe\"\n",
            "line 13, column 9: `Describe` is not an action: that is a service, a colon and a name, such as acme:Connect",
        ),
        (
            "\"acme:Describe\"\n",
            "\"acme:D*\"\n",
            "line 13, column 9: `acme:D*` is not an action: that is a service, a colon and a name, such as acme:Connect",
        ),
        (
            r#""version": "1""#,
            r#""version": "2""#,
            "line 39, column 22: `2` is not the number of a version: versions go from 1 to the default version, each is there once",
        ),
    ] {
        assert_eq!(refused(from, to), said, "{to}");
    }
}

#[test]
fn a_condition_says_each_operator_and_key_once() {
    let condition = r#""StringEquals": {"acme:Tier": "1"}"#;
    for (to, said) in [
        (
            r#""StringEquals": {"acme:Tier": "1", "acme:tier": "2"}"#,
            "line 47, column 68: `acme:tier` is there twice",
        ),
        (
            r#""StringEquals": {"acme:Tier": "1"}, "StringEquals": {"acme:Size": "1"}"#,
            "`StringEquals` is there twice",
        ),
        (r#""StringEquals": "1""#, "invalid type: string \"1\", expected an object"),
        (r#""StringEquals": {"acme:Tier": []}"#, "line 38, column 9: version 2 is not a permission: "),
    ] {
        let found = refused(condition, to);
        assert!(found.starts_with("line ") && found.contains(said), "{found}");
    }
}

#[test]
fn a_pattern_takes_no_resources_of_another_type() {
    let cluster = "arn:aws:acme:[a-z0-9-]+:[0-9]{12}:cluster/[a-z]+";
    let pool = cluster.replace("cluster", "pool");
    // Of two types that share a word the first would get both.
    let (wide, narrow) = (cluster.replace("[a-z]+", ".*"), cluster.replace("cluster/", "cluster/pool-"));
    let two = FILE
        .replacen(cluster, &wide, 1)
        .replacen(&pool, &narrow, 1)
        .replace("pool/blue", "cluster/pool-blue");
    let refused = |file: &str| Catalog::with_file(file).unwrap_err().to_string();
    assert!(
        refused(&two).starts_with("line 22, column 21: the example is not recognised"),
        "{}",
        refused(&two)
    );
    // So would one of rampart's own that is made another.
    let subnets = r#"{"resourceTypes": [
        {"resourceType": "ec2:CapacityReservation", "serviceName": "ec2", "resourceRegionScope": "REGIONAL",
         "arnPattern": "arn:aws:ec2:[a-z0-9-]+:[0-9]{12}:subnet/.*",
         "exampleArn": "arn:aws:ec2:eu-west-1:123456789012:subnet/a",
         "canShareExternally": true, "invitationExpiryHours": 12}]}"#;
    assert_eq!(refused(subnets), "line 3, column 24: the pattern takes the resources of ec2:Subnet");
}
