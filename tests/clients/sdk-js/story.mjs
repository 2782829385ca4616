// The story of two accounts, and of an organization when a third account is named, through the AWS SDK for JavaScript:
// `node story.mjs ENDPOINT OWNER RECEIVER RESOURCE [MANAGEMENT]`. Prints what it saw as JSON.

import {
  AcceptResourceShareInvitationCommand,
  CreateResourceShareCommand,
  DeleteResourceShareCommand,
  EnableSharingWithAwsOrganizationCommand,
  GetResourceShareInvitationsCommand,
  RAMClient,
  paginateGetResourceShares,
  paginateListResources,
} from "@aws-sdk/client-ram";
import {
  CreateAccountCommand,
  CreateOrganizationCommand,
  DescribeCreateAccountStatusCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [endpoint, owner, receiver, resource, management] = process.argv.slice(2);
const settings = (account) => ({
  endpoint,
  region: "eu-west-1",
  credentials: { accessKeyId: account, secretAccessKey: "x" },
  maxAttempts: 1,
});
const ram = (account) => new RAMClient(settings(account));

async function all(pages, member) {
  const found = [];
  for await (const page of pages) found.push(...page[member]);
  return found;
}

const seen = (account, resourceOwner) =>
  all(paginateGetResourceShares({ client: ram(account), pageSize: 1 }, { resourceOwner }), "resourceShares");

async function twoAccounts() {
  const caller = await new STSClient(settings(owner)).send(new GetCallerIdentityCommand({}));
  const made = await ram(owner).send(
    new CreateResourceShareCommand({ name: "from-js", resourceArns: [resource], principals: [receiver] }),
  );
  const invited = await ram(receiver).send(new GetResourceShareInvitationsCommand({}));
  const [invitation] = invited.resourceShareInvitations;
  const before = await seen(receiver, "OTHER-ACCOUNTS");
  const accept = new AcceptResourceShareInvitationCommand({
    resourceShareInvitationArn: invitation.resourceShareInvitationArn,
  });
  const accepted = await ram(receiver).send(accept);
  const again = await ram(receiver).send(accept).catch((error) => error.name);
  const after = await seen(receiver, "OTHER-ACCOUNTS");
  const pages = paginateListResources({ client: ram(receiver) }, { resourceOwner: "OTHER-ACCOUNTS" });
  const resources = await all(pages, "resources");
  await ram(owner).send(new DeleteResourceShareCommand({ resourceShareArn: made.resourceShare.resourceShareArn }));
  return {
    caller: caller.Account,
    created: made.resourceShare.creationTime instanceof Date,
    before: before.length,
    accepted: accepted.resourceShareInvitation.status,
    again,
    after: after.map((share) => share.name),
    resources: resources.map((row) => row.arn),
    deleted: (await seen(owner, "SELF")).map((share) => share.status),
  };
}

async function organization() {
  const organizations = new OrganizationsClient(settings(management));
  await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
  const member = await organizations.send(
    new CreateAccountCommand({ AccountName: "js", Email: `js-${management}@example.com` }),
  );
  await ram(management).send(new EnableSharingWithAwsOrganizationCommand({}));
  // As on AWS, the account is made while its caller waits.
  const status = new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: member.CreateAccountStatus.Id });
  const account = (await organizations.send(status)).CreateAccountStatus.AccountId;
  await ram(management).send(new CreateResourceShareCommand({ name: "inside", principals: [account] }));
  // No invitation: the share is there at once.
  return { inside: (await seen(account, "OTHER-ACCOUNTS")).map((share) => share.name) };
}

console.log(JSON.stringify({ ...(await twoAccounts()), ...(management ? await organization() : {}) }));
