/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bare libyaml program: reads FILE and walks its events. Prints their number; 1 when it is no YAML. */

#include <stdio.h>
#include <yaml.h>

int main(int argc, char *argv[]) {
        FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
        yaml_parser_t parser;
        if (!file || !yaml_parser_initialize(&parser))
                return 2;
        yaml_parser_set_input_file(&parser, file);

        unsigned n = 0;
        for (yaml_event_type_t type = YAML_NO_EVENT; type != YAML_STREAM_END_EVENT; n++) {
                yaml_event_t event;
                if (!yaml_parser_parse(&parser, &event))
                        return 1;
                type = event.type;
                yaml_event_delete(&event);
        }
        yaml_parser_delete(&parser);
        (void) fclose(file);
        return printf("%u events\n", n) > 0 ? 0 : 1;
}
