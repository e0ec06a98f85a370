/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An empty program: what the start of a process costs. Linked with chosen libraries it shows what those cost. */
int main(void) {
        return 0;
}
