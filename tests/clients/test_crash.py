"""kill -9 in the middle of writes: nothing that was answered is missing, and nothing half-done is visible."""

import random
import threading

from botocore.exceptions import BotoCoreError

WRITERS = 8
# Below AWS's quota of twenty pending invitations for an account.
SHARES_PER_WRITER = 15


class Writer:
    """Makes shares, one after the other, and notes which were answered, until the server is gone."""

    def __init__(self, owner, receiver, progress: threading.Semaphore):
        self.owner = owner
        self.receiver = receiver
        self.progress = progress
        self.answered = set()
        self.failure = None
        self.client = owner.ram
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        try:
            for number in range(SHARES_PER_WRITER):
                answer = self.client.create_resource_share(
                    name=f"net-{number}",
                    principals=[self.receiver.id],
                    resourceArns=[self.owner.transit_gateway(number), self.owner.component(number)],
                    tags=[{"key": "number", "value": str(number)}],
                )
                self.answered.add(answer["resourceShare"]["resourceShareArn"])
                self.progress.release()
        except BotoCoreError:
            pass
        except Exception as error:
            self.failure = error


def test_what_was_answered_is_there_and_whole(start_server, new_account):
    server = start_server()
    seed = random.randrange(2**32)
    progress = threading.Semaphore(0)
    receiver = new_account(server)
    receiver.ram.get_resource_share_invitations()
    writers = [Writer(new_account(server), receiver, progress) for _ in range(WRITERS)]
    for writer in writers:
        writer.thread.start()
    for _ in range(random.Random(seed).randrange(WRITERS, WRITERS * SHARES_PER_WRITER // 2)):
        assert progress.acquire(timeout=60), f"the writers do not get on: {[writer.failure for writer in writers]}"
    server.kill()
    for writer in writers:
        writer.thread.join(60)
        assert writer.failure is None, writer.failure
    server.start()

    offered = {share_of(invitation) for invitation in invitations(receiver)}
    for writer in writers:
        visible = writer.owner.visible_shares("SELF")
        lost = writer.answered - visible.keys()
        assert not lost, f"seed {seed}: {len(lost)} of {len(writer.answered)} answered shares are gone"
        unanswered = visible.keys() - writer.answered
        assert len(unanswered) <= 1, f"seed {seed}: a writer has one call in flight, and {len(unanswered)} came through"
        assert visible.keys() <= offered, f"seed {seed}: a share without its invitation"
        for share in visible:
            assert len(writer.owner.associations(share)) == 1, f"seed {seed}: {share}"
            assert len(writer.owner.associations(share, "RESOURCE")) == 2, f"seed {seed}: {share}"
        tagged = writer.owner.ram.get_resource_shares(resourceOwner="SELF", tagFilters=[{"tagKey": "number"}])
        assert len(tagged["resourceShares"]) == len(visible), f"seed {seed}: a share without its tag"
    everything = set().union(*(writer.owner.visible_shares("SELF") for writer in writers))
    assert offered == everything, f"seed {seed}: an invitation without its share"

    # And life goes on.
    share = writers[0].owner.share(receiver, name="after")
    assert receiver.accept(share)["status"] == "ACCEPTED"


def invitations(receiver) -> list[dict]:
    pages = receiver.ram.get_paginator("get_resource_share_invitations").paginate()
    return [invitation for page in pages for invitation in page["resourceShareInvitations"]]


def share_of(invitation: dict) -> str:
    return invitation["resourceShareArn"]
