// Answers queries with Apache Jena for others.py: `java -cp JARS Jena.java DATA.nq` loads the data, is told names of files with
// queries on standard input, one a line, and answers with a line of JSON, which names the file that the answer is in.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.jena.query.*;
import org.apache.jena.riot.*;

class Jena {
    public static void main(String[] arguments) throws Exception {
        long started = System.nanoTime();
        Dataset data = DatasetFactory.create();
        RDFParser.source(arguments[0]).lang(Lang.NQUADS).checking(false).parse(data);
        System.out.println("{\"ready\": " + (System.nanoTime() - started) / 1e9 + "}");
        Path out = Path.of(arguments[0] + ".jena");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = input.readLine()) != null; ) {
            try {
                String form = answer(data, Files.readString(Path.of(line)), out);
                System.out.println("{\"answer\": \"" + out + "\", \"form\": \"" + form + "\"}");
            } catch (Exception | StackOverflowError error) {
                String why = String.valueOf(error.getMessage()).replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\s+", " ");
                System.out.println("{\"failed\": \"" + error.getClass().getSimpleName() + ": " + why + "\"}");
            }
        }
    }

    private static String answer(Dataset data, String text, Path out) throws Exception {
        Query query = QueryFactory.create(text);
        try (QueryExecution run = QueryExecutionFactory.create(query, data); var file = Files.newOutputStream(out)) {
            if (query.isSelectType()) {
                ResultSetFormatter.outputAsJSON(file, run.execSelect());
            } else if (query.isAskType()) {
                ResultSetFormatter.outputAsJSON(file, run.execAsk());
            } else {
                var graph = query.isDescribeType() ? run.execDescribe() : run.execConstruct();
                RDFDataMgr.write(file, graph, Lang.NTRIPLES);
                return "triples";
            }
            return "json";
        }
    }
}
