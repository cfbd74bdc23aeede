"""Step 6: what was taught goes to others: looked through, signed off, sent, and followed until it is accepted.

A contribution is one lesson in a folder of its own below `paths.contributions()`, frozen as it was when the person
looked it through. Sending is done by a worker, step by step; each step finds out whether it was done already, so it can
be killed anywhere and pressed again. The person's library is read, and only told at the end what was sent.

It goes to the community's taxonomy (InstructLab's on GitHub, or any other), to a team's git repository (https, ssh or a
folder; a pull request where GitHub or GitLab runs there), or into a .labpack file to mail. Commits are made from the
lesson's bytes and the contribution's own date, so that the same contribution is always the same commit. The documents
of facts go to a repository of documents first, whose commit is then named in qna.yaml. Who signs in does so with
GitHub's device code, an access token, or what this computer's git knows. The device code needs the id of an OAuth app
(LAB_DESKTOP_GITHUB_CLIENT, or the setting); none is shipped.
"""
